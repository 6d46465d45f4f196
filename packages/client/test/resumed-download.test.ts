import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import fs, { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { type DownloadResumption, EncryptedDownload, type EncryptedDownloadOptions } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, bytesOfLength, describeInParts, Fixture, refusal, TEST_KEYRING } from "./fixture.js";
import { withWrites } from "./replaced-writes.js";
import { ToyFormat } from "./toy-format.js";
import { busySockets, errorOf, retryingClient, until } from "./transfers.js";

const KiB = 1024;
const PART = 64 * KiB;

const asked = async (fixture: Fixture): Promise<unknown> => {
  const params = { Bucket: BUCKET, Key: "object" };
  return await new EncryptedDownload({ client: fixture.client(), params, to: devNull, resume: true }).done();
};

describeInParts("a download that is resumed", asked, () => {
  const content = bytesOfLength(1000 * KiB + 3);
  const length = content.length;
  let fixture: Fixture;
  let folder: string;
  let file: string;

  before(async function () {
    // Whose a file is, is not told there.
    if (process.geteuid === undefined) this.skip();
    fixture = await Fixture.start();
  });
  after(() => fixture.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "s3ec-test-"));
    file = join(folder, "file");
    await put(content);
    fixture.server.clearRequests();
  });
  afterEach(async () => {
    fixture.server.faults.clear();
    await rm(folder, { recursive: true });
  });

  async function put(Body: Uint8Array, Key = "object"): Promise<void> {
    await fixture.client().send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  }

  function download(options: Partial<EncryptedDownloadOptions> = {}): EncryptedDownload {
    return new EncryptedDownload({
      client: retryingClient(fixture),
      params: { Bucket: BUCKET, Key: "object" },
      to: file,
      partSize: PART,
      queueSize: 4,
      resume: true,
      ...options,
    });
  }

  /** Begins one, and aborts it once that many bytes are written. Gives the folder that is left. */
  async function begun(bytes: number, options: Partial<EncryptedDownloadOptions> = {}): Promise<string> {
    const started = download(options);
    started.on("httpDownloadProgress", ({ loaded }) => loaded >= bytes && void started.abort());
    expect((await errorOf(started.done())).name).to.equal("AbortError");
    await until(() => busySockets() === 0);
    expect((await readdir(folder)).filter((name) => name !== "file")).to.have.length(1);
    return started.kept ?? "none";
  }

  /** Resumes, and tells what it began with. */
  async function resumed(options: Partial<EncryptedDownloadOptions> = {}): Promise<DownloadResumption> {
    fixture.server.clearRequests();
    const started = download(options);
    const told: DownloadResumption[] = [];
    await started.on("resume", (resumption) => told.push(resumption)).done();
    expect(started.kept).to.equal(undefined);
    expect((await readFile(file)).equals(content)).to.equal(true);
    expect(await readdir(folder)).to.deep.equal(["file"]);
    const [resumption] = told;
    if (resumption === undefined || told.length > 1) throw new Error(`It was told ${told.length} times.`);
    return resumption;
  }

  /** Bytes that were asked for. */
  function asked(): number {
    return fixture.server.requests
      .map(({ headers }) => /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? ""))
      .reduce((sum, range) => sum + Math.min(Number(range?.[2]), length + 15) - Number(range?.[1]) + 1, 0);
  }

  it("fetches what is missing, and no more than that and the first range", async () => {
    const left = await begun(length / 2);
    expect((await stat(left)).mode & 0o777).to.equal(0o700);
    for (const name of await readdir(left)) expect((await stat(join(left, name))).mode & 0o777).to.equal(0o600);
    const { kept, anew } = await resumed();
    expect(anew).to.equal(undefined);
    expect(kept).to.be.greaterThan(length / 2 - 2 * PART);
    expect(asked()).to.be.at.most(length + 16 - kept);
  });

  it("is an ordinary one where there is nothing to resume, and leaves nothing", async () => {
    expect(await resumed()).to.deep.equal({ kept: 0 });
  });

  it("counts what is there as loaded, and not into its pace", async () => {
    await begun(length / 2);
    const seen: number[] = [];
    const started = download();
    let kept = 0;
    started.on("resume", (resumption) => {
      kept = resumption.kept;
    });
    await started.on("httpDownloadProgress", ({ loaded }) => seen.push(loaded)).done();
    expect(seen[0]).to.be.greaterThan(kept);
    expect(seen.at(-1)).to.equal(length);
  });

  it("goes on with ranges of another length, as often as it takes", async () => {
    for (const [bytes, partSize] of [
      [length / 4, PART],
      [length / 3, 10_000],
      [(length * 2) / 3, 100_000],
    ] as const) {
      // Of the last third, not all is on its way when it is aborted.
      await begun(bytes, { partSize, queueSize: 2 });
    }
    expect((await resumed({ partSize: 16 * KiB })).kept).to.be.greaterThan(length / 3);
  });

  it("leaves what came when the network fails, and nothing when nothing did", async () => {
    fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 0 });
    const failed = download();
    await errorOf(failed.done());
    expect(failed.kept).to.equal(undefined);
    expect(await readdir(folder)).to.deep.equal([]);
    fixture.server.faults.clear();
    const broken = download();
    broken.on("httpDownloadProgress", ({ loaded }) => {
      if (loaded > length / 2) fixture.server.faults.add({ operation: "GetObject", cutAfterBytes: 10 });
    });
    await errorOf(broken.done());
    expect(await readdir(folder)).to.deep.equal([broken.kept?.slice(folder.length + 1)]);
    fixture.server.faults.clear();
    expect((await resumed()).kept).to.be.greaterThan(length / 3);
  });

  it("keeps what is there where it is aborted, or finds no room, before it has gone on", async () => {
    const left = await begun(length / 2);
    const before = await readFile(join(left, "pieces"));
    const { statfs } = fs.promises;
    const answer = { type: 0, bsize: 4096, blocks: 1000, bfree: 0 };
    for (const [what, isFull] of [
      ["AbortError", false],
      ["content-too-large", true],
    ] as const) {
      const started = download();
      // Asked for before anything of it is looked at.
      fs.promises.statfs = (async (path: string) => {
        if (!isFull) await started.abort();
        return isFull ? answer : await statfs(path);
      }) as unknown as typeof statfs;
      syncBuiltinESMExports();
      try {
        const error = await errorOf(started.done());
        expect([error.name, Reflect.get(error, "code")]).to.include(what);
      } finally {
        fs.promises.statfs = statfs;
        syncBuiltinESMExports();
      }
      expect(started.kept).to.equal(left);
      expect((await readFile(join(left, "pieces"))).equals(before)).to.equal(true);
      expect((await readdir(left)).sort()).to.deep.equal(["partial", "pieces"]);
    }
    expect((await resumed()).kept).to.be.greaterThan(length / 3);
  });

  it("goes on when a full disk has room again", async () => {
    let writes = 0;
    await withWrites(
      async (write) => {
        if (writes++ > 15) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
        return await write();
      },
      async () => expect((await refusal(download().done())).code).to.equal("content-too-large"),
    );
    expect((await resumed()).kept).to.be.greaterThan(0);
  });

  describe("begins anew, and says why,", () => {
    it("of an object that was put again", async () => {
      await begun(length / 2);
      await put(content);
      expect(await resumed()).to.deep.equal({
        kept: 0,
        anew: "It is of another object, was encrypted anew, or is damaged.",
      });
    });

    it("of a copy of the object, whose envelope is the same, by its key or its tag", async () => {
      await begun(length / 2);
      const { body, metadata } = await fixture.stored("object");
      const put = { Bucket: BUCKET, Body: body, Metadata: metadata };
      await fixture.plain.send(new PutObjectCommand({ ...put, Key: "copy" }));
      expect(await resumed({ params: { Bucket: BUCKET, Key: "copy" } })).to.deep.equal({
        kept: 0,
        anew: "It is of another object.",
      });
      await rm(file);
      await begun(length / 2);
      const altered = Buffer.concat([body.subarray(0, -1), Buffer.from([(body.at(-1) ?? 0) ^ 1])]);
      await fixture.plain.send(new PutObjectCommand({ ...put, Key: "object", Body: altered }));
      const started = download();
      const told: DownloadResumption[] = [];
      started.on("resume", (resumption) => told.push(resumption));
      expect((await refusal(started.done())).code).to.equal("decryption-failed");
      expect(told).to.deep.equal([{ kept: 0, anew: "The object was replaced meanwhile." }]);
      expect(await readdir(folder)).to.deep.equal([]);
    });

    for (const [what, change] of [
      ["of a journal of another release", (path: string) => writeFile(path, "s3ec download 9\n")],
      ["of a journal whose head is damaged", (path: string) => flip(path, 50)],
    ] as const) {
      it(what, async () => {
        await change(join(await begun(length / 2), "pieces"));
        const { kept, anew } = await resumed();
        expect([kept, anew?.endsWith("damaged.")]).to.deep.equal([0, true]);
      });
    }

    it("of files that others could have written (G9)", async () => {
      const changes: ((path: string) => Promise<unknown>)[] = [
        (path) => chmod(path, 0o660),
        async (path) => {
          await rename(path, join(folder, "elsewhere"));
          await symlink(join(folder, "elsewhere"), path);
        },
        async (path) => {
          await rm(path);
          await mkdir(path);
        },
      ];
      for (const name of ["partial", "pieces"]) {
        for (const change of changes) {
          await change(join(await begun(length / 2), name));
          const before = await readFile(join(folder, "elsewhere")).catch(() => undefined);
          const started = download();
          const told: DownloadResumption[] = [];
          await started.on("resume", (resumption) => told.push(resumption)).done();
          expect(told).to.deep.equal([{ kept: 0, anew: "It was not yours alone." }]);
          expect(await readFile(join(folder, "elsewhere")).catch(() => undefined)).to.deep.equal(before);
          await rm(join(folder, "elsewhere"), { force: true });
          expect(await readdir(folder)).to.deep.equal(["file"]);
          await rm(file);
        }
      }
    });
  });

  it("uses no folder that others can enter, and leaves it alone (G9)", async () => {
    const left = await begun(length / 2);
    await chmod(left, 0o755);
    const started = download();
    const told: DownloadResumption[] = [];
    await started.on("resume", (resumption) => told.push(resumption)).done();
    expect(told).to.deep.equal([{ kept: 0 }]);
    expect((await readdir(folder)).sort()).to.deep.equal([left.slice(folder.length + 1), "file"]);
    expect((await readFile(file)).equals(content)).to.equal(true);
  });

  describe("takes nothing for granted that is on the disk:", () => {
    for (const [what, damage] of [
      ["a byte that was changed", (left: string) => flip(join(left, "partial"), PART + 5)],
      ["a part that was never written", (left: string) => truncate(join(left, "partial"), 3 * PART)],
      ["a file that is empty", (left: string) => truncate(join(left, "partial"), 0)],
      ["a file that is longer", (left: string) => writeFile(join(left, "partial"), "more", { flag: "a" })],
      ["a record that is damaged", (left: string) => flip(join(left, "pieces"), 124 + 56 * 2 + 30)],
      ["a record that was cut short", async (left: string) => truncate(join(left, "pieces"), 124 + 56 * 4 + 7)],
      ["a record in another place", (left: string) => swapRecords(join(left, "pieces"))],
    ] as const) {
      it(what, async () => {
        await damage(await begun((length * 2) / 3));
        const { kept, anew } = await resumed();
        expect(anew).to.equal(undefined);
        expect(kept).to.be.lessThan((length * 2) / 3 + 3 * PART);
      });
    }

    it("not even what it has looked at before (G9)", async () => {
      const left = await begun(length / 2);
      const started = download();
      started.on("resume", () => flipNow(join(left, "partial"), 2 * PART + 1));
      expect((await refusal(started.done())).code).to.equal("decryption-failed");
      expect(await readdir(folder)).to.deep.equal([]);
    });
  });

  it("of altered content ends in an error, and keeps nothing", async () => {
    const stored = await fixture.stored("object");
    const Body = Buffer.from(stored.body);
    Body.writeUInt8(Body.readUInt8(3 * PART) ^ 1, 3 * PART);
    const altered = { Bucket: BUCKET, Key: "altered" };
    await fixture.plain.send(new PutObjectCommand({ ...altered, Body, Metadata: stored.metadata }));
    await begun(length / 2, { params: altered });
    const started = download({ params: altered });
    expect((await refusal(started.done())).code).to.equal("decryption-failed");
    expect(started.kept).to.equal(undefined);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it("is one process's at a time", async () => {
    fixture.server.faults.add({ operation: "GetObject", throttleBytesPerSecond: 300 * KiB });
    const first = download();
    const done = first.done();
    await new Promise((begins) => first.once("resume", begins));
    const { code, message } = await refusal(download().done());
    expect(code).to.equal("transfer-in-use");
    expect(message).to.equal(`Process ${process.pid} is at this transfer: wait for it, or end it.`);
    fixture.server.faults.clear();
    await first.abort();
    await errorOf(done);
    await resumed();
  });

  it("begins again where the folder is deleted by whoever had it, at any moment of its beginning", async () => {
    const { mkdir, link, open, lstat } = fs.promises;
    const moments = { mkdir, link, open, lstat };
    const deleting = async (name: keyof typeof moments): Promise<void> => {
      let times = 0;
      const before = moments[name] as (...args: unknown[]) => Promise<unknown>;
      Object.assign(fs.promises, {
        [name]: async (...args: unknown[]) => {
          const isOfIt = String(args[0]).includes(".s3ec-resume-") && times++ < 3;
          if (isOfIt && name !== "mkdir") await rm(dirOf(String(args[0])), { recursive: true, force: true });
          const result = await before.apply(fs.promises, args);
          if (isOfIt && name === "mkdir") await rm(dirOf(String(args[0])), { recursive: true, force: true });
          return result;
        },
      });
      syncBuiltinESMExports();
      try {
        await download().done();
      } finally {
        Object.assign(fs.promises, moments);
        syncBuiltinESMExports();
      }
      expect(times, name).to.be.greaterThan(1);
      expect((await readFile(file)).equals(content)).to.equal(true);
      expect(await readdir(folder)).to.deep.equal(["file"]);
      await rm(file);
    };
    for (const name of ["mkdir", "lstat", "link", "open"] as const) await deleting(name);
  });

  it("says so where the folder is deleted while it goes on", async () => {
    const started = download();
    started.once("httpDownloadProgress", () => rmSync(join(folder, readdirSync(folder)[0] ?? ""), { recursive: true }));
    const { code, message } = await refusal(started.done());
    expect(code).to.equal("transfer-in-use");
    expect(message).to.include(".s3ec-resume-").and.to.include("begin it again");
    expect(started.kept).to.equal(undefined);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it("is in the way of none to another target, nor of one that is not resumed", async () => {
    await begun(length / 2);
    const other = join(folder, "other");
    await download({ to: other }).done();
    await download({ to: file, resume: false }).done();
    expect((await readFile(other)).equals(content)).to.equal(true);
    expect((await readdir(folder)).length).to.equal(3);
    await rm(other);
    expect((await resumed()).kept).to.be.greaterThan(0);
  });

  it("gives the file the permissions of any new one, or of the one that it replaces", async () => {
    const other = join(folder, "other");
    await writeFile(other, "new");
    await begun(length / 2).catch(() => {});
    await download().done();
    expect((await stat(file)).mode).to.equal((await stat(other)).mode);
    await rm(other);
    await chmod(file, 0o640);
    await begun(length / 2);
    await resumed();
    expect((await stat(file)).mode & 0o777).to.equal(0o640);
  });

  it("is refused to a stream, and of what can only be decrypted in order", async () => {
    const message = fixture.client({ formats: [new ToyFormat()], keyring: TEST_KEYRING });
    await message.send(new PutObjectCommand({ Bucket: BUCKET, Key: "boxes", Body: content }));
    const started = download({ client: message, params: { Bucket: BUCKET, Key: "boxes" } });
    const { code, message: text } = await refusal(started.done());
    expect([code, text]).to.deep.equal([
      "unsupported-operation",
      "Only content under AES-GCM, on a runtime that hashes it as OpenSSL does, can be resumed: leave resume out.",
    ]);
    expect(await readdir(folder)).to.deep.equal([]);
    expect(() => download({ to: process.stdout })).to.throw("Only a download to a file can be resumed");
    expect(() => download({ resume: "yes" as unknown as boolean })).to.throw("resume must be true or false");
  });

  it("survives kill -9 at any moment, and ends in the right file", async () => {
    const child = fileURLToPath(new URL("killed-download.js", import.meta.url));
    const wrappingKey = randomBytes(32);
    const keyring = new RawAesKeyring({ wrappingKey });
    await fixture.client({ keyring }).send(new PutObjectCommand({ Bucket: BUCKET, Key: "killed", Body: content }));
    const kills = Number(process.env.S3EC_KILLS ?? 4);
    let hasBegun = false;
    // The first ends itself after so many bytes; more are killed at random moments.
    for (let round = 0; round < kills; round++) {
      const bytes = round < 4 ? Math.ceil((length * (round + 1)) / 6) : Number.MAX_SAFE_INTEGER;
      fixture.server.faults.clear();
      fixture.server.faults.add({ operation: "GetObject", throttleBytesPerSecond: 2000 * KiB });
      const killed = fork(child, [String(bytes), file], { stdio: "ignore" });
      killed.send({ config: { ...fixture.server.clientConfig }, wrappingKey: wrappingKey.toString("hex") });
      await once(killed, "message");
      const timer = setTimeout(() => killed.kill("SIGKILL"), round < 4 ? 60_000 : Math.random() * 1500);
      await once(killed, "exit");
      clearTimeout(timer);
      const left = (await readdir(folder)).filter((name) => name !== "file");
      expect(left.length).to.be.at.most(1);
      const whole = await readFile(file).catch(() => undefined);
      if (whole !== undefined) expect(whole.equals(content)).to.equal(true);
      // What has begun is there, until it is whole.
      else expect(left.length).to.be.at.least(hasBegun ? 1 : 0);
      await rm(file, { force: true });
      hasBegun = left.length > 0;
    }
    fixture.server.faults.clear();
    const client = retryingClient(fixture, { keyring });
    const { kept } = await resumed({ client, params: { Bucket: BUCKET, Key: "killed" } });
    if (kills === 4) expect(kept).to.be.greaterThan(length / 5);
  });
});

/** The folder of a download that a path is in, or is. */
function dirOf(path: string): string {
  return /^.*\.s3ec-resume-[^/]+/.exec(path)?.[0] ?? path;
}

/** Inverts a bit of a byte. */
async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, "r+");
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  await file.close();
}

/** The same before anything else happens. */
function flipNow(path: string, at: number): void {
  const bytes = readFileSync(path);
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from([(bytes[at] ?? 0) ^ 1]), 0, 1, at);
  closeSync(file);
}

async function swapRecords(path: string): Promise<void> {
  const bytes = await readFile(path);
  const records = [0, 1].map((number) => Buffer.from(bytes.subarray(124 + 56 * number, 124 + 56 * (number + 1))));
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = records;
  await writeFile(path, Buffer.concat([bytes.subarray(0, 124), second, first, bytes.subarray(124 + 112)]));
}
