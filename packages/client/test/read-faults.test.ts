import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
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
        it(`is whole or an error when every connection is cut after ${cutAfterBytes} bytes, never a short success`, async () => {
          fixture.server.faults.add({ operation: "GetObject", cutAfterBytes });
          const seen: Uint8Array[] = [];
          const isOver = await read(options, seen).then(
            () => true,
            () => false,
          );
          // In three answers, or in one where the plaintext is given out as it comes.
          const arrives = options.enableDelayedAuthenticationMode === true ? 0 : 3 * cutAfterBytes;
          expect(isOver).to.equal(arrives >= content.length + 16);
          if (isOver) expect(Buffer.concat(seen).equals(content)).to.equal(true);
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

  for (const [mode, options] of MODES.slice(0, 2)) {
    describe(`whose body breaks off while nothing was given out, ${mode},`, () => {
      const gets = () => fixture.server.requests.filter(({ operation }) => operation === "GetObject");

      it("goes on where it broke off, with the same content", async () => {
        fixture.server.clearRequests();
        fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 300_000, times: 1 });
        const seen: Uint8Array[] = [];
        await read(options, seen);
        expect(Buffer.concat(seen).equals(content)).to.equal(true);
        const [first, second, ...more] = gets().map(({ headers }) => headers);
        expect(more).to.deep.equal([]);
        expect(first).not.to.have.any.keys("range", "if-match");
        expect(second?.range).to.match(new RegExp(`^bytes=[1-9]\\d*-${content.length + 15}$`));
        const { ETag } = await fixture.plain.send(new HeadObjectCommand(params));
        expect(second?.["if-match"]).to.equal(ETag);
      });

      it("is content-mismatch when the object is replaced meanwhile", async () => {
        const replacing = { ...params, Key: "replaced" };
        await fixture.client().send(new PutObjectCommand({ ...replacing, Body: content }));
        const client = retryingClient(fixture, { spool: { directory }, ...options });
        client.middlewareStack.add(
          (next) => async (args) => {
            if (Reflect.has(args.input, "IfMatch")) {
              await fixture.client().send(new PutObjectCommand({ ...replacing, Body: content }));
            }
            return next(args);
          },
          { step: "initialize", priority: "low", name: "replaceMeanwhile" },
        );
        fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 300_000, times: 1 });
        expect((await refusal(client.send(new GetObjectCommand(replacing)))).code).to.equal("content-mismatch");
      });

      it("stops when the caller aborts", async () => {
        fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 0 });
        const controller = new AbortController();
        const client = retryingClient(fixture, { spool: { directory }, ...options });
        const reading = client.send(new GetObjectCommand(params), { abortSignal: controller.signal });
        setImmediate(() => controller.abort());
        expect((await errorOf(reading)).name).to.equal("AbortError");
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
    // What it asks for, and one piece more.
    expect(most).to.be.at.most(stream.readableHighWaterMark + 256 * 1024);
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
      const download = (partSize?: number): EncryptedDownload =>
        new EncryptedDownload({
          client: fixture.client(),
          params,
          to,
          ...(partSize === undefined ? {} : { partSize }),
        });
      const early = await refusal(download(100_000).done());
      expect(early.code).to.equal("content-too-large");
      expect(early.message).to.include("do not fit");
      // What the system finds out only as it writes.
      const { statfs } = fs.promises;
      fs.promises.statfs = (async () => ({ blocks: 0 })) as unknown as typeof statfs;
      syncBuiltinESMExports();
      try {
        // In its place as it arrives, and proven first.
        for (const partSize of [100_000, 1_000_000]) {
          const late = await refusal(download(partSize).done());
          expect(late.code).to.equal("content-too-large");
          expect(late.cause).to.have.property("code", "ENOSPC");
          expect(await readdir(mount)).to.deep.equal([]);
        }
      } finally {
        fs.promises.statfs = statfs;
        syncBuiltinESMExports();
      }
      expect(await readdir(mount)).to.deep.equal([]);
    } finally {
      execFileSync("umount", [mount]);
      await rm(mount, { recursive: true });
    }
  });
});
