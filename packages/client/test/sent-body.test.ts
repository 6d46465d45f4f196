import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { S3EncryptionClient } from "@s3ec/client";
import { AwsMessageFormat, type AwsMessageFormatOptions } from "@s3ec/format-aws-message";
import { expect } from "chai";
import { piecesToSend } from "../dist/write/sent-body.js";
import { bytesOfLength, chunksOf, Fixture, get, put } from "./fixture.js";
import { ThirdPartyKeyring } from "./third-party-keyring.js";

const KiB = 1024;
/** Above what is buffered and sent as bytes; its last 256 KiB piece is short, and so is the tag behind it. */
const LENGTH = 8 * KiB * KiB + 100;

describe("streams that are sent in one request", () => {
  const content = bytesOfLength(LENGTH);
  let fixture: Fixture;
  let folder: string;
  before(async () => {
    fixture = await Fixture.start();
    folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    await writeFile(join(folder, "file"), content);
  });
  after(async () => {
    await fixture.close();
    await rm(folder, { recursive: true });
  });

  const bodies: Readonly<Record<string, () => Readable>> = {
    "a file": () => createReadStream(join(folder, "file")),
    "a stream of 1,000-byte chunks": () => Readable.from(chunksOf(content, 1000)),
    "a stream of chunks that are large or a few bytes": () => Readable.from(largeAndSmall()),
  };
  function* largeAndSmall(): Generator<Uint8Array> {
    for (let offset = 0, length = 300 * KiB; offset < LENGTH; offset += length, length = length === 7 ? 300 * KiB : 7)
      yield content.subarray(offset, offset + length);
  }
  const messages: Readonly<Record<string, AwsMessageFormatOptions>> = {
    "frames of 1,000 bytes": { frameLength: 1000 },
    "frames as they are by default": {},
    "frames of 1 MiB": { frameLength: KiB * KiB },
  };
  const writers: Readonly<Record<string, () => S3EncryptionClient>> = { "an S3 format": () => fixture.client() };
  for (const [what, options] of Object.entries(messages)) {
    const formats = [new AwsMessageFormat(options)];
    Object.assign(writers, {
      [`a message with ${what}`]: () => fixture.client({ keyring: new ThirdPartyKeyring(), formats }),
    });
  }

  for (const [format, client] of Object.entries(writers)) {
    for (const [what, body] of Object.entries(bodies)) {
      it(`come in chunks that S3 takes: ${what} as ${format}`, async () => {
        const s3 = client();
        fixture.server.clearRequests();
        await s3.send(put("streamed", body(), { ContentLength: LENGTH }));
        const [request] = fixture.server.requests;
        expect(request?.headers["x-amz-content-sha256"]).to.equal("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        const { Body } = await s3.send(get("streamed"));
        expect(content.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).to.equal(true);
      });
    }
  }
});

describe("piecesToSend", () => {
  const pieces = async (...chunks: Uint8Array[]): Promise<Uint8Array[]> => {
    const given: Uint8Array[] = [];
    for await (const piece of piecesToSend(Readable.from(chunks))) given.push(piece);
    return given;
  };
  const content = bytesOfLength(400 * KiB);

  it("gives out large pieces as they are", async () => {
    const [first, second] = [content.subarray(0, 64 * KiB), content.subarray(64 * KiB)];
    const given = await pieces(first, second);
    expect(given.map(({ buffer, byteOffset }) => buffer === content.buffer && byteOffset - content.byteOffset)).to.eql([
      0,
      64 * KiB,
    ]);
  });

  it("copies of a large piece behind a short one only what the short one lacks", async () => {
    const given = await pieces(content.subarray(0, 5), content.subarray(5));
    expect(given.map(({ length }) => length)).to.eql([64 * KiB, 336 * KiB]);
    expect(given[1]?.buffer).to.equal(content.buffer);
    expect(Buffer.concat(given).equals(content)).to.equal(true);
  });

  it("leaves what it gave out alone, and does not hold what it was given (G6)", async () => {
    const source = Buffer.alloc(1000);
    async function* reusing(): AsyncGenerator<Uint8Array> {
      for (let offset = 0; offset < content.length; offset += source.length) {
        yield source.subarray(0, content.copy(source, 0, offset));
      }
    }
    const given: Uint8Array[] = [];
    for await (const piece of piecesToSend(reusing())) given.push(piece);
    expect(given.map(({ length }) => length)).to.eql([...Array(6).fill(64 * KiB), 16 * KiB]);
    expect(Buffer.concat(given).equals(content)).to.equal(true);
  });

  it("gives out the last byte, where it is alone", async () => {
    const given = await pieces(content.subarray(0, 64 * KiB), content.subarray(64 * KiB, 64 * KiB + 1));
    expect(given.map(({ length }) => length)).to.eql([64 * KiB, 1]);
    expect(Buffer.concat(given).equals(content.subarray(0, 64 * KiB + 1))).to.equal(true);
  });

  it("gives out nothing where nothing comes", async () => {
    expect(await pieces()).to.eql([]);
    expect(await pieces(Buffer.alloc(0))).to.eql([]);
  });
});
