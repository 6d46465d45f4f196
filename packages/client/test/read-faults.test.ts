import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getDefaultHighWaterMark, Readable } from "node:stream";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedDownload, type S3EncryptionOptions } from "@s3ec/client";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, refusal } from "./fixture.js";
import { busySockets, errorOf, retryingClient, until } from "./transfers.js";

const MODES: readonly (readonly [string, Partial<S3EncryptionOptions>])[] = [
  ["verified in memory", {}],
  ["verified from a spool", { bufferSize: 0 }],
  ["with delayed authentication", { enableDelayedAuthenticationMode: true }],
];

describe("a get that goes wrong", () => {
  const content = bytesOfLength(600_000);
  const params = { Bucket: BUCKET, Key: "object" };
  let fixture: Fixture;
  let directory: string;

  before(async () => {
    fixture = await Fixture.start();
    await fixture.client().send(new PutObjectCommand({ ...params, Body: content }));
  });
  after(() => fixture.close());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "s3ec-test-"));
  });
  afterEach(async () => {
    fixture.server.faults.clear();
    await until(() => busySockets() === 0);
    // Whatever happened, nothing was left in the spool.
    expect(await readdir(directory)).to.deep.equal([]);
    await rm(directory, { recursive: true });
  });

  async function body(options: Partial<S3EncryptionOptions>): Promise<Readable> {
    const client = retryingClient(fixture, { spool: { directory }, ...options });
    const { Body } = await client.send(new GetObjectCommand(params));
    if (!(Body instanceof Readable)) throw new Error("Not a Node stream.");
    return Body;
  }

  async function read(options: Partial<S3EncryptionOptions>, seen: Uint8Array[] = []): Promise<void> {
    for await (const chunk of await body(options)) seen.push(chunk);
  }

  for (const [mode, options] of MODES) {
    describe(mode, () => {
      for (const cutAfterBytes of [0, 1, 16, 65_536, 300_000, content.length, content.length + 15]) {
        it(`is an error when the connection is cut after ${cutAfterBytes} bytes, never a short success`, async () => {
          fixture.server.faults.add({ operation: "GetObject", cutAfterBytes });
          await errorOf(read(options));
        });
      }

      for (const corruptByteAt of [0, 300_000, content.length, content.length + 15]) {
        it(`is decryption-failed when byte ${corruptByteAt} is not what was stored`, async () => {
          fixture.server.faults.add({ operation: "GetObject", corruptByteAt });
          const seen: Uint8Array[] = [];
          expect((await refusal(read(options, seen))).code).to.equal("decryption-failed");
          if (options.enableDelayedAuthenticationMode !== true) expect(seen).to.deep.equal([]);
        });
      }

      it("lets go of everything when its reader stops half-way", async () => {
        for await (const chunk of await body(options)) {
          expect(chunk.length).to.be.greaterThan(0);
          break;
        }
      });

      it("lets go of everything when nobody reads it and it is destroyed", async () => {
        (await body(options)).destroy();
      });
    });
  }

  it("lets go of a source that it is waiting for", async () => {
    fixture.server.faults.add({ operation: "GetObject", throttleBytesPerSecond: 20_000 });
    const stream = await body({ enableDelayedAuthenticationMode: true });
    await new Promise((arrived) => stream.once("data", arrived));
    stream.destroy();
    await until(() => busySockets() === 0);
  });

  it("refuses what is too large for memory when spooling is off", async () => {
    const refused = await refusal(read({ bufferSize: 1000, spool: false }));
    expect(refused.code).to.equal("content-too-large");
  });

  it("keeps a slow reader's stream from growing", async () => {
    const stream = await body({ enableDelayedAuthenticationMode: true });
    const iterator = stream[Symbol.asyncIterator]();
    let most = 0;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      most = Math.max(most, stream.readableLength);
    }
    // What it asks for, and one chunk more: what the SDK's stream holds back, which Node 22 raised, and has just received.
    const chunk = getDefaultHighWaterMark(false) + 65_536;
    expect(most).to.be.at.most(stream.readableHighWaterMark + chunk);
  });

  it("says so when the disk is full, and leaves nothing there", async function () {
    const mount = join(directory, "small");
    try {
      execFileSync("mkdir", [mount]);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", mount], { stdio: "ignore" });
    } catch {
      await rm(mount, { recursive: true, force: true });
      // Mounting takes rights that a developer may not have.
      this.skip();
    }
    try {
      const refused = await refusal(read({ bufferSize: 0, spool: { directory: mount } }));
      expect(refused.code).to.equal("content-too-large");
      expect(refused.message).to.include(mount);
      const to = join(mount, "file");
      const failed = await errorOf(new EncryptedDownload({ client: fixture.client(), params, to }).done());
      expect(failed).to.have.property("code", "ENOSPC");
      expect(await readdir(mount)).to.deep.equal([]);
    } finally {
      execFileSync("umount", [mount]);
      await rm(mount, { recursive: true });
    }
  });
});
