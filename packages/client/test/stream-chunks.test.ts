import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedDownload, EncryptedUpload, type S3EncryptionOptions } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture } from "./fixture.js";

/** How a body is cut into chunks. A byte at a time is slow, so there are fewer of them. */
const CUTS: readonly (readonly [name: string, length: number, next: (offset: number) => number])[] = [
  ["1", 10_007, () => 1],
  ["7", 50_021, () => 7],
  ["16", 100_003, () => 16],
  ["4,096", 700_001, () => 4096],
  ["65,536", 1_500_007, () => 65_536],
  // A fixed sequence, and every size from 0 to 100,000 is as likely.
  ["random", 1_500_007, (offset) => (Math.imul(offset + 1, 2654435761) >>> 0) % 100_001],
];

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("streams, in chunks of", () => {
  let fixture: Fixture;
  let folder: string;

  before(async () => {
    fixture = await Fixture.start();
    folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
  });
  after(async () => {
    await fixture.close();
    await rm(folder, { recursive: true });
  });

  async function read(Key: string): Promise<Buffer> {
    const { Body, ContentLength } = await fixture.client().send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    expect(ContentLength).to.equal(bytes.length);
    return bytes;
  }

  for (const [name, length, next] of CUTS) {
    describe(`${name} bytes`, () => {
      const content = bytesOfLength(length);
      const expected = sha256(content);

      /** With `slow`, one chunk a turn; without, as many as are asked for. */
      function source(slow: boolean): Readable {
        let offset = 0;
        return new Readable({
          highWaterMark: slow ? 1 : 1024 * 1024,
          read() {
            const chunk = content.subarray(offset, offset + Math.max(1, next(offset)));
            offset += chunk.length;
            const push = (): void => void this.push(chunk.length === 0 ? null : chunk);
            if (slow && length > 100_003) setImmediate(push);
            else push();
          },
        });
      }

      /** Takes what it is given in pieces of the same sizes. */
      async function collect(body: unknown, slow: boolean): Promise<Buffer> {
        if (!(body instanceof Readable)) throw new Error("Not a Node stream.");
        const chunks: Buffer[] = [];
        const sink = new Writable({
          highWaterMark: slow ? 1 : 1024 * 1024,
          write(chunk: Buffer, _encoding, done) {
            chunks.push(Buffer.from(chunk));
            if (slow) setImmediate(done);
            else done();
          },
        });
        await new Promise((finish, fail) => body.on("error", fail).pipe(sink).on("finish", finish));
        return Buffer.concat(chunks);
      }

      for (const slow of [false, true]) {
        const pressure = slow ? "with back-pressure" : "as fast as they go";

        it(`are put, ${pressure}`, async () => {
          await fixture
            .client()
            .send(new PutObjectCommand({ Bucket: BUCKET, Key: "put", Body: source(slow), ContentLength: length }));
          const bytes = await read("put");
          expect([bytes.length, sha256(bytes)]).to.deep.equal([length, expected]);
        });

        it(`are put without a length, as a web stream and as an iterable, ${pressure}`, async () => {
          const iterable = (async function* () {
            yield* source(slow);
          })();
          for (const Body of [source(slow), Readable.toWeb(source(slow)), iterable]) {
            const params = { Bucket: BUCKET, Key: "put", Body: Body as Readable };
            await fixture.client().send(new PutObjectCommand(params));
            const bytes = await read("put");
            expect([bytes.length, sha256(bytes)]).to.deep.equal([length, expected]);
          }
        });

        it(`are uploaded, ${pressure}`, async () => {
          const params = { Bucket: BUCKET, Key: "upload", Body: source(slow) };
          await new EncryptedUpload({ client: fixture.client(), params }).done();
          const bytes = await read("upload");
          expect([bytes.length, sha256(bytes)]).to.deep.equal([length, expected]);
        });

        for (const [mode, options] of [
          ["verified in memory", {}],
          ["verified from a spool", { bufferSize: 0 }],
          ["with delayed authentication", { enableDelayedAuthenticationMode: true }],
        ] satisfies [string, Partial<S3EncryptionOptions>][]) {
          it(`are read, ${mode}, ${pressure}`, async () => {
            const Key = `read ${mode}`;
            const client = fixture.client(options);
            await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: content }));
            const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
            const bytes = await collect(Body, slow);
            expect([bytes.length, sha256(bytes)]).to.deep.equal([length, expected]);
          });
        }
      }

      it("are read from the middle of a file", async () => {
        const path = join(folder, "file");
        await writeFile(path, content);
        const Body = createReadStream(path, { start: 3, highWaterMark: Math.max(1, next(0)) });
        await fixture.client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "file", Body }));
        expect((await read("file")).equals(content.subarray(3))).to.equal(true);
      });

      it("are what ranges of a download may be", async () => {
        const partSize = Math.max(16, next(1));
        const large = partSize < 100 ? content.subarray(0, 5000) : content;
        const params = { Bucket: BUCKET, Key: "ranges" };
        await fixture.client().send(new PutObjectCommand({ ...params, Body: large }));
        const to = join(folder, "download");
        await new EncryptedDownload({ client: fixture.client(), params, to, partSize, queueSize: 5 }).done();
        const bytes = await readFile(to);
        expect([bytes.length, sha256(bytes)]).to.deep.equal([large.length, sha256(large)]);
      });
    });
  }
});
