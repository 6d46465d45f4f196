import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import { chmod, chown, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { type DownloadProgress, EncryptedDownload, type EncryptedDownloadOptions, EncryptedUpload } from "@s3ec/client";
import { expect } from "chai";
import { appendAll, writeWholeFile } from "../dist/transfer/whole-file.js";
import { BUCKET, bytesOfLength, Fixture, refusal } from "./fixture.js";
import { withWrites } from "./replaced-writes.js";
import { busySockets, errorOf, retryingClient, until } from "./transfers.js";

const KiB = 1024;
/** Small ranges, so that an object of a megabyte is many of them. */
const SMALL = { partSize: 64 * KiB, queueSize: 4 };

describe("EncryptedDownload", () => {
  const content = bytesOfLength(1000 * KiB + 3);
  let fixture: Fixture;
  let folder: string;

  before(async () => {
    fixture = await Fixture.start();
    await put("object", content);
  });
  after(() => fixture.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    fixture.server.clearRequests();
  });
  afterEach(async () => {
    fixture.server.faults.clear();
    await rm(folder, { recursive: true });
  });

  async function put(Key: string, Body: Uint8Array): Promise<void> {
    await fixture.client().send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  }

  function download(options: Partial<EncryptedDownloadOptions> & Pick<EncryptedDownloadOptions, "to">) {
    const params = { Bucket: BUCKET, Key: "object" };
    return new EncryptedDownload({ client: retryingClient(fixture), params, ...SMALL, ...options });
  }

  function gets(): number {
    return fixture.server.requests.filter(({ operation }) => operation === "GetObject").length;
  }

  it("warns of no leak, however many requests are under way, nor does an upload", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): unknown => warnings.push(warning);
    process.on("warning", onWarning);
    await download({ to: join(folder, "many"), queueSize: 16 }).done();
    const params = { Bucket: BUCKET, Key: "parts", Body: Buffer.alloc(12 * 5 * 1024 * KiB) };
    await new EncryptedUpload({ client: fixture.client(), params, queueSize: 12 }).done();
    await new Promise(setImmediate);
    process.off("warning", onWarning);
    expect(warnings.map(({ message }) => message)).to.deep.equal([]);
  });

  class Collector extends Writable {
    readonly chunks: Buffer[] = [];
    override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
      this.chunks.push(chunk);
      done();
    }
    get bytes(): Buffer {
      return Buffer.concat(this.chunks);
    }
  }

  it("asks for fewer and larger ranges of a large object where they are not held", async () => {
    const bytes = bytesOfLength(16 * 1024 * KiB);
    await put("large", bytes);
    const params = { Bucket: BUCKET, Key: "large" };
    const client = retryingClient(fixture);
    const path = join(folder, "file");
    const ranges = async (
      options: Pick<EncryptedDownloadOptions, "to" | "queueSize" | "partSize">,
    ): Promise<number> => {
      fixture.server.clearRequests();
      await new EncryptedDownload({ client, params, ...options }).done();
      return gets();
    };
    expect(await ranges({ to: path, queueSize: 1 })).to.equal(1 + 4);
    expect((await readFile(path)).equals(bytes)).to.equal(true);
    // As before of many connections, of what is in memory, and where it is said.
    expect(await ranges({ to: path })).to.equal(6);
    expect(await ranges({ to: new Writable({ write: (_chunk, _encoding, done) => done() }) })).to.equal(6);
    expect(await ranges({ to: path, queueSize: 1, partSize: 2 * 1024 * KiB })).to.equal(9);
  });

  it("writes to the file that a link points at, and keeps the link", async () => {
    const [file, link] = [join(folder, "file"), join(folder, "link")];
    await writeFile(file, "before");
    await symlink(file, link);
    await download({ to: link }).done();
    expect((await readFile(file)).equals(content)).to.equal(true);
    expect((await lstat(link)).isSymbolicLink()).to.equal(true);
    expect((await readdir(folder)).sort()).to.deep.equal(["file", "link"]);
  });

  it("refuses to replace what is no file: a folder, or a link to a device", async () => {
    const link = join(folder, "link");
    await symlink("/dev/null", link);
    for (const to of [folder, link]) {
      const { code, message } = await refusal(download({ to }).done());
      expect([code, message]).to.deep.equal([
        "invalid-argument",
        `${to} is a folder, a device or a pipe: name a file.`,
      ]);
    }
    expect((await lstat(link)).isSymbolicLink()).to.equal(true);
    expect(await readdir(folder)).to.deep.equal(["link"]);
  });

  for (const length of [0, 1, 64 * KiB - 17, 64 * KiB - 16, 64 * KiB - 15, 64 * KiB, 64 * KiB + 1, 300 * KiB]) {
    it(`downloads ${length} bytes to a file and to a stream`, async () => {
      const bytes = bytesOfLength(length);
      await put("sized", bytes);
      const params = { Bucket: BUCKET, Key: "sized" };
      const path = join(folder, "file");
      const output = await download({ params, to: path }).done();
      expect(output.ContentLength).to.equal(length);
      expect(output).not.to.have.any.keys("Body", "ContentRange");
      expect((await readFile(path)).equals(bytes)).to.equal(true);
      const to = new Collector();
      await download({ params, to }).done();
      expect(to.bytes.equals(bytes)).to.equal(true);
      expect(to.writableFinished).to.equal(true);
    });
  }

  it("reads what was uploaded in parts", async () => {
    const large = randomBytes(11 * KiB * KiB);
    const params = { Bucket: BUCKET, Key: "parts" };
    await new EncryptedUpload({ client: fixture.client(), params: { ...params, Body: large } }).done();
    await new EncryptedDownload({ client: fixture.client(), params, to: join(folder, "file") }).done();
    expect((await readFile(join(folder, "file"))).equals(large)).to.equal(true);
  });

  it("asks for every range once, pinned to the version of the first", async () => {
    await download({ to: join(folder, "file") }).done();
    const [first, ...others] = fixture.server.requests;
    expect(first?.headers.range).to.equal("bytes=0-65535");
    const ranges = others.map(({ headers }) => Number(/^bytes=(\d+)-/.exec(headers.range ?? "")?.[1]));
    expect(ranges.sort((a, b) => a - b)).to.deep.equal(
      Array.from({ length: Math.ceil(content.length / SMALL.partSize) - 1 }, (_, index) => (index + 1) * 65_536),
    );
    for (const { headers } of others) expect(headers["if-match"]).to.match(/^"[0-9a-f]{32}"$/);
  });

  it("reports progress in bytes of plaintext", async () => {
    const seen: DownloadProgress[] = [];
    const started = download({ to: join(folder, "file") });
    await started.on("httpDownloadProgress", (event) => seen.push(event)).done();
    expect(seen.length).to.be.greaterThan(5);
    const total = content.length;
    const { bytesPerSecond, ...last } = seen.at(-1) ?? {};
    expect(last).to.deep.equal({ loaded: total, total, secondsLeft: 0, Bucket: BUCKET, Key: "object" });
    expect(bytesPerSecond).to.be.greaterThan(0);
  });

  for (const mode of [0o600, 0o640, 0o444, 0o755]) {
    it(`replaces a file of mode ${mode.toString(8)}, and keeps that`, async () => {
      const path = join(folder, "file");
      await writeFile(path, "old");
      await chmod(path, mode);
      await download({ to: path }).done();
      expect((await readFile(path)).equals(content)).to.equal(true);
      expect((await stat(path)).mode & 0o777).to.equal(mode);
      expect(await readdir(folder)).to.deep.equal(["file"]);
    });
  }

  it("makes a file with the permissions of any new one", async () => {
    const [path, other] = [join(folder, "file"), join(folder, "other")];
    await writeFile(other, "new");
    await download({ to: path }).done();
    expect((await stat(path)).mode).to.equal((await stat(other)).mode);
  });

  describe("of another owner's file", () => {
    const [uid, gid, nobody] = [54_321, 54_322, 65_534];
    beforeEach(async function () {
      if (process.getuid?.() !== 0) this.skip();
      await writeFile(join(folder, "file"), "old");
      await chown(join(folder, "file"), uid, gid);
      await chmod(join(folder, "file"), 0o664);
    });

    it("keeps owner and group where it may", async () => {
      await download({ to: join(folder, "file") }).done();
      expect(await stat(join(folder, "file"))).to.include({ uid, gid, mode: 0o100664 });
    });

    it("gives a group that the file did not have no more than everyone", async () => {
      await chown(folder, nobody, nobody);
      process.setegid?.(nobody);
      process.seteuid?.(nobody);
      try {
        await writeWholeFile(join(folder, "file"), {
          length: content.length,
          isProven: false,
          writeTo: (file) => appendAll(file, Readable.from([content])),
        });
      } finally {
        process.seteuid?.(0);
        process.setegid?.(0);
      }
      expect(await stat(join(folder, "file"))).to.include({ uid: nobody, gid: nobody, mode: 0o100644 });
    });
  });

  it("keeps unproven bytes where nobody else can read them", async () => {
    const path = join(folder, "file");
    const modes: number[] = [];
    const started = download({ to: path });
    started.on("httpDownloadProgress", async () => {
      const [partial] = await readdir(folder);
      if (partial !== undefined && partial !== "file") modes.push((await stat(join(folder, partial))).mode & 0o777);
    });
    await started.done();
    expect(new Set(modes)).to.deep.equal(new Set([0o700]));
  });

  it("writes nothing of a small object before it is proven, nor where others could not read what it replaces", async () => {
    const path = join(folder, "file");
    await writeFile(path, "old");
    await chmod(path, 0o600);
    const seen: [string, number][] = [];
    await withWrites(
      async (write, file) => {
        for (const name of (await readdir(folder)).sort())
          seen.push([name.slice(0, 6), (await stat(join(folder, name))).mode & 0o777]);
        expect((await file.stat()).mode & 0o777).to.equal(0o600);
        return await write();
      },
      () => download({ to: path, partSize: KiB * KiB }).done(),
    );
    expect(seen).to.deep.equal([
      [".s3ec-", 0o600],
      ["file", 0o600],
    ]);
    const stored = await fixture.stored("object");
    const Body = Buffer.from(stored.body);
    Body.writeUInt8(Body.readUInt8(content.length - 1) ^ 1, content.length - 1);
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "bad", Body, Metadata: stored.metadata }));
    let writes = 0;
    await withWrites(
      async (write) => {
        writes++;
        return await write();
      },
      async () => {
        const params = { Bucket: BUCKET, Key: "bad" };
        const refused = await refusal(download({ to: path, params, partSize: KiB * KiB }).done());
        expect(refused.code).to.equal("decryption-failed");
      },
    );
    expect(writes).to.equal(0);
    expect(await readdir(folder)).to.deep.equal(["file"]);
  });

  it("lets two downloads to one target each leave a whole file", async () => {
    const path = join(folder, "file");
    const other = bytesOfLength(500 * KiB);
    await put("other", other);
    await Promise.all([
      download({ to: path }).done(),
      download({ to: path, params: { Bucket: BUCKET, Key: "other" } }).done(),
    ]);
    const bytes = await readFile(path);
    expect(bytes.equals(content) || bytes.equals(other)).to.equal(true);
    expect(await readdir(folder)).to.deep.equal(["file"]);
  });

  for (const [what, options] of [
    ["in memory", {}],
    ["from a spool", { bufferSize: 1000 }],
    ["with delayed authentication", { enableDelayedAuthenticationMode: true }],
  ] as const) {
    it(`gives a slow stream everything, ${what}`, async () => {
      const client = retryingClient(fixture, options);
      const hash = createHash("sha256");
      let length = 0;
      const to = new Writable({
        highWaterMark: 1,
        write(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          length += chunk.length;
          setImmediate(done);
        },
      });
      await download({ client, to }).done();
      expect(length).to.equal(content.length);
      expect(hash.digest("hex")).to.equal(createHash("sha256").update(content).digest("hex"));
    });
  }

  describe("of altered content", () => {
    for (const offset of [0, 70_000, content.length, content.length + 15]) {
      it(`with byte ${offset} changed: no file, no byte of a stream, though delayed authentication streams`, async () => {
        const stored = await fixture.stored("object");
        const body = Buffer.from(stored.body);
        body.writeUInt8(body.readUInt8(offset) ^ 1, offset);
        await fixture.plain.send(
          new PutObjectCommand({ Bucket: BUCKET, Key: "altered", Body: body, Metadata: stored.metadata }),
        );
        const params = { Bucket: BUCKET, Key: "altered" };
        await writeFile(join(folder, "file"), "old");
        const refused = await refusal(download({ params, to: join(folder, "file") }).done());
        expect(refused.code).to.equal("decryption-failed");
        expect(await readdir(folder)).to.deep.equal(["file"]);
        expect((await readFile(join(folder, "file"))).toString()).to.equal("old");

        for (const options of [{}, { bufferSize: 1000 }]) {
          const to = new Collector();
          const held = await refusal(download({ client: retryingClient(fixture, options), params, to }).done());
          expect(held.code).to.equal("decryption-failed");
          expect(to.bytes.length).to.equal(0);
          expect(to.destroyed).to.equal(false);
        }
        const client = retryingClient(fixture, { enableDelayedAuthenticationMode: true });
        const to = new Collector();
        expect((await refusal(download({ client, params, to }).done())).code).to.equal("decryption-failed");
        expect(to.writableFinished).to.equal(false);
        expect(to.destroyed).to.equal(true);
      });
    }

    it("refuses content that was cut short", async () => {
      const stored = await fixture.stored("object");
      const Body = stored.body.subarray(0, -1);
      await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "short", Body, Metadata: stored.metadata }));
      const refused = await refusal(
        download({ params: { Bucket: BUCKET, Key: "short" }, to: join(folder, "f") }).done(),
      );
      expect(refused.code).to.equal("decryption-failed");
      expect(await readdir(folder)).to.deep.equal([]);
    });
  });

  describe("when the network fails", () => {
    for (const cutAfterBytes of [0, 1, 1000, 65_535]) {
      it(`resumes a range that breaks off after ${cutAfterBytes} bytes`, async () => {
        fixture.server.faults.add({ operation: "GetObject", cutAfterBytes, times: 2 });
        await download({ to: join(folder, "file") }).done();
        expect((await readFile(join(folder, "file"))).equals(content)).to.equal(true);
      });
    }

    for (const fault of [{ status: 500 }, { status: 503, code: "SlowDown" }]) {
      it(`asks again after ${JSON.stringify(fault)}`, async () => {
        const remove = fixture.server.faults.add({ operation: "GetObject", times: 2, ...fault });
        await download({ to: join(folder, "file") }).done();
        remove();
        expect((await readFile(join(folder, "file"))).equals(content)).to.equal(true);
      });
    }

    it("gives up with an error, and leaves nothing behind", async () => {
      fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 100 });
      await errorOf(download({ to: join(folder, "file") }).done());
      expect(await readdir(folder)).to.deep.equal([]);
      await until(() => busySockets() === 0);
    });
  });

  it("refuses an object that is replaced between two ranges", async () => {
    await put("replaced", content);
    const started = download({ params: { Bucket: BUCKET, Key: "replaced" }, to: join(folder, "file") });
    fixture.server.faults.add({ operation: "GetObject", delayMs: 50 });
    const done = refusal(started.done());
    await until(() => gets() > 1);
    await put("replaced", bytesOfLength(content.length));
    const refused = await done;
    expect(refused.code).to.equal("content-mismatch");
    expect(refused.message).to.match(/replaced/);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  describe("aborted", () => {
    it("before it starts", async () => {
      const started = download({ to: join(folder, "file") });
      await started.abort();
      expect((await errorOf(started.done())).name).to.equal("AbortError");
      expect(gets()).to.equal(0);
    });

    for (const [when, requests] of [
      ["while the first range is awaited", 1],
      ["while the others are", 3],
    ] as const) {
      it(when, async () => {
        fixture.server.faults.add({ operation: "GetObject", throttleBytesPerSecond: 100 * KiB });
        const started = download({ to: join(folder, "file") });
        const done = errorOf(started.done());
        await until(() => gets() >= requests);
        await started.abort();
        expect((await done).name).to.equal("AbortError");
        expect(await readdir(folder)).to.deep.equal([]);
        await until(() => busySockets() === 0);
      });
    }

    it("while a stream is being written", async () => {
      const to = new Writable({ write() {} });
      const started = download({ client: retryingClient(fixture, { enableDelayedAuthenticationMode: true }), to });
      const done = errorOf(started.done());
      await until(() => to.writableLength > 0);
      await started.abort();
      expect((await done).name).to.equal("AbortError");
      expect(to.destroyed).to.equal(true);
      await until(() => busySockets() === 0);
    });
  });

  it("holds no more than its window for a consumer that does not read", async () => {
    const to = new Writable({ highWaterMark: 1, write() {} });
    const client = retryingClient(fixture, { enableDelayedAuthenticationMode: true });
    const started = download({ client, to });
    const done = errorOf(started.done());
    await until(() => to.writableLength > 0 && gets() >= SMALL.queueSize);
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    // The window, and what the streams between it and the consumer hold.
    expect(gets()).to.be.at.most(SMALL.queueSize + 6);
    await started.abort();
    await done;
  });

  it("writes what arrives in its place, whichever range that is of, and waits for none", async () => {
    const first = fixture.server.faults.pause({ operation: "GetObject" });
    const seen: number[] = [];
    const started = download({ to: join(folder, "file"), queueSize: 2 });
    const done = started.on("httpDownloadProgress", ({ loaded }) => seen.push(loaded)).done();
    await first.reached;
    const held = fixture.server.faults.pause({ operation: "GetObject" });
    first.release();
    await held.reached;
    // All but the second range, through the one connection that is left.
    await until(() => (seen.at(-1) ?? 0) >= content.length - SMALL.partSize);
    held.release();
    await done;
    expect((await readFile(join(folder, "file"))).equals(content)).to.equal(true);
  });

  it("cuts ranges at blocks", async () => {
    await download({ to: join(folder, "file"), partSize: 100_001 }).done();
    expect((await readFile(join(folder, "file"))).equals(content)).to.equal(true);
    expect(fixture.server.requests.map(({ headers }) => headers.range).sort()[0]).to.equal("bytes=0-100015");
  });

  it("asks no more of a server that ignores ranges than once", async () => {
    const ignoring = fixture.client();
    ignoring.middlewareStack.add(
      (next) => async (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        delete headers.range;
        return await next(args);
      },
      { step: "build" },
    );
    for (const partSize of [SMALL.partSize, 8 * KiB * KiB]) {
      fixture.server.clearRequests();
      await download({ client: ignoring, to: join(folder, "file"), partSize }).done();
      expect((await readFile(join(folder, "file"))).equals(content)).to.equal(true);
      expect(gets()).to.equal(1);
    }
  });

  describe("where there is no room", () => {
    it("refuses before anything but the first range is fetched", async () => {
      const { statfs } = fs.promises;
      for (const [type, bfree, blocks, fits] of [
        [0xef53, 1, 1000, false],
        [0xef53, 251, 1000, true],
        // Compressing ones, and those that know nothing.
        [0x9123683e, 1, 1000, true],
        [0x6969, 0, 0, true],
      ] as const) {
        fs.promises.statfs = (async () => ({ type, bsize: 4096, blocks, bfree })) as unknown as typeof statfs;
        syncBuiltinESMExports();
        fixture.server.clearRequests();
        try {
          const to = join(folder, "file");
          if (fits) {
            await download({ to }).done();
            continue;
          }
          const { code, message } = await refusal(download({ to }).done());
          expect([code, message]).to.deep.equal([
            "content-too-large",
            `The object's ${content.length} bytes do not fit into the file system of ${folder}, where 4096 are free: make room, or name another folder.`,
          ]);
          expect(gets()).to.equal(1);
          expect(await readdir(folder)).to.deep.equal([]);
        } finally {
          fs.promises.statfs = statfs;
          syncBuiltinESMExports();
        }
      }
    });

    it("says so where the disk gets full meanwhile, asks for nothing again and leaves nothing", async () => {
      for (const fullAfter of [0, 3]) {
        fixture.server.clearRequests();
        let writes = 0;
        await withWrites(
          async (write) => {
            if (writes++ >= fullAfter) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
            return await write();
          },
          async () => {
            const { code, message, cause } = await refusal(download({ to: join(folder, "file") }).done());
            expect([code, message]).to.deep.equal([
              "content-too-large",
              `The object does not fit into the file system of ${folder}, which is full: make room, or name another folder.`,
            ]);
            expect(cause).to.have.property("code", "ENOSPC");
          },
        );
        expect(gets()).to.be.at.most(fullAfter + 2 * SMALL.queueSize);
        expect(await readdir(folder)).to.deep.equal([]);
        await until(() => busySockets() === 0);
      }
    });

    it("writes all of what a disk takes only a part of at a time", async () => {
      await withWrites(
        async (_write, file, chunks, position) => {
          const [first = new Uint8Array(0)] = chunks;
          const part = first.subarray(0, Math.max(1, first.length >> 1));
          const { bytesWritten } = await file.write(part, 0, part.length, position);
          return { bytesWritten, buffers: chunks };
        },
        () => download({ to: join(folder, "file") }).done(),
      );
      expect((await readFile(join(folder, "file"))).equals(content)).to.equal(true);
    });
  });

  it("refuses a range, and a folder that is not there", async () => {
    const params = { Bucket: BUCKET, Key: "object", Range: "bytes=0-1" };
    expect(() => download({ params, to: join(folder, "file") })).to.throw("whole objects");
    const missing = await refusal(download({ to: join(folder, "none", "file") }).done());
    expect(missing.code).to.equal("invalid-argument");
  });

  it("says what is not encrypted, and passes on what S3 says", async () => {
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "clear", Body: "clear" }));
    await fixture.plain.send(new PutObjectCommand({ Bucket: BUCKET, Key: "empty", Body: "" }));
    for (const Key of ["clear", "empty"]) {
      const refused = await refusal(download({ params: { Bucket: BUCKET, Key }, to: join(folder, "f") }).done());
      expect(refused.code).to.equal("not-encrypted");
    }
    const none = await errorOf(download({ params: { Bucket: BUCKET, Key: "none" }, to: join(folder, "f") }).done());
    expect(none.name).to.equal("NoSuchKey");
  });
});
