import crypto, { randomBytes } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3EncryptionOptions } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { replacingCrypto } from "@s3ec/test-support";
import { expect } from "chai";
import { base64, cbc, wrap } from "./craft.js";
import { BUCKET, bytesOfLength, Fixture, get, put, refusal } from "./fixture.js";
import { errorOf, retryingClient } from "./transfers.js";

const PIECE = 256 * 1024;

describe("a read that is verified first", () => {
  const content = bytesOfLength(3 * PIECE + 5);
  let fixture: Fixture;
  before(async () => {
    fixture = await Fixture.start();
    await fixture.client().send(put("object", content));
    // What a process tries out once, before it hashes.
    await fixture.client().send(get("object"));
  });
  after(() => fixture.close());
  afterEach(() => fixture.server.faults.clear());

  const modes: readonly (readonly [string, Partial<S3EncryptionOptions>])[] = [
    ["in memory", {}],
    ["in a spool", { bufferSize: 1000 }],
  ];
  for (const [where, options] of modes) {
    it(`makes no plaintext of content that turns out to be altered: ${where} (S12)`, async () => {
      let decrypted = 0;
      const counting =
        (create: (...given: never[]) => crypto.CipherGCM | crypto.DecipherGCM) =>
        (...given: never[]): object => {
          const cipher = create(...given);
          const update: (data: Uint8Array) => Buffer = cipher.update.bind(cipher);
          return Object.assign(cipher, {
            update: (data: Uint8Array) => {
              decrypted += data.length;
              return update(data);
            },
          });
        };
      const replaced = {
        createDecipheriv: counting(crypto.createDecipheriv),
        createCipheriv: counting(crypto.createCipheriv),
      };
      const client = fixture.client(options);
      fixture.server.faults.add({ operation: "GetObject", corruptByteAt: content.length + 15 });
      await replacingCrypto(replaced, async () => {
        expect((await refusal(client.send(get("object")))).code).to.equal("decryption-failed");
      });
      // The data key was unwrapped, and nothing else.
      expect(decrypted).to.be.within(1, 64);
    });
  }

  it("holds as many bytes of plaintext as bufferSize says (S12)", async () => {
    const client = fixture.client({ bufferSize: 1000, spool: false });
    for (const length of [999, 1000]) {
      await client.send(put(`of-${length}`, content.subarray(0, length)));
      const { Body } = await client.send(get(`of-${length}`));
      expect(await Body?.transformToByteArray()).to.have.length(length);
    }
    await client.send(put("of-1001", content.subarray(0, 1001)));
    expect((await refusal(client.send(get("of-1001")))).code).to.equal("content-too-large");
  });

  it("puts no content together from two answers that no tag holds to each other (S12)", async () => {
    const [kek, dataKey, iv] = [randomBytes(32), randomBytes(32), randomBytes(16)];
    const metadata = {
      "x-amz-key": base64(wrap.aesEcb(kek, dataKey)),
      "x-amz-iv": base64(iv),
      "x-amz-matdesc": "{}",
    };
    await fixture.server.putRawObject(BUCKET, "cbc", { body: cbc(dataKey, iv, content), metadata });
    const options = {
      keyring: new RawAesKeyring({ wrappingKey: kek }),
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      enableLegacyWrappingAlgorithms: true,
      enableLegacyUnauthenticatedModes: true,
    } as const;
    const read = async (more: Partial<S3EncryptionOptions> = {}): Promise<Uint8Array> => {
      const { Body } = await retryingClient(fixture, { ...options, ...more }).send(get("cbc"));
      return (await Body?.transformToByteArray()) ?? Buffer.alloc(0);
    };
    expect(content.equals(await read())).to.equal(true);
    // Nothing will prove it, so that nothing of it has to wait.
    expect(content.equals(await read({ bufferSize: 1000, spool: false }))).to.equal(true);
    fixture.server.clearRequests();
    fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 300_000, times: 1 });
    await errorOf(read());
    expect(fixture.server.requests.filter(({ headers }) => headers.range !== undefined)).to.deep.equal([]);
  });

  it("gives out nothing of a spooled piece that the disk has changed since (G5)", async function () {
    if (process.platform !== "linux") this.skip();
    const directory = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    try {
      const { Body } = await fixture.client({ bufferSize: 1000, spool: { directory } }).send(get("object"));
      const descriptor = readdirSync("/proc/self/fd").find((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
        } catch {
          return false;
        }
      });
      const spooled = await open(`/proc/self/fd/${descriptor}`, "r+");
      await spooled.write(Buffer.from([content[0] ?? 0, 1, 2, 3]), 0, 4, PIECE + 7);
      await spooled.close();
      const given: Uint8Array[] = [];
      const failed = await refusal(
        (async () => {
          for await (const chunk of Body as AsyncIterable<Uint8Array>) given.push(chunk);
        })(),
      );
      expect(failed.code).to.equal("decryption-failed");
      // Where it cannot be hashed in pieces, the one in front of it was not decrypted yet.
      const before = Buffer.concat(given);
      expect(before.length).to.be.oneOf([0, PIECE]);
      expect(before.equals(content.subarray(0, before.length))).to.equal(true);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
