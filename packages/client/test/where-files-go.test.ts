import { execFileSync, fork, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import fs, {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { EncryptedDownload, type EncryptedDownloadOptions, EncryptedUpload, openObjectToFile } from "@s3ec/client";
import { canSealInParts } from "@s3ec/envelope";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { BUCKET, bytesOfLength, Fixture, refusal, TEST_KEYRING } from "./fixture.js";
import { errorOf, retryingClient } from "./transfers.js";

const MiB = 1024 * 1024;

describe("files of transfers", () => {
  const content = bytesOfLength(11 * MiB);
  let fixture: Fixture;
  let folder: string;
  const home = process.cwd();

  before(async () => {
    fixture = await Fixture.start();
    await fixture.client().send(new PutObjectCommand({ Bucket: BUCKET, Key: "object", Body: content }));
  });
  after(() => fixture.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-test-"));
  });
  afterEach(() => {
    process.chdir(home);
    fixture.server.faults.clear();
    rmSync(folder, { recursive: true });
  });

  function download(to: string, options: Partial<EncryptedDownloadOptions> = {}): EncryptedDownload {
    const params = { Bucket: BUCKET, Key: "object" };
    return new EncryptedDownload({ client: retryingClient(fixture), params, to, ...options });
  }

  describe("stay where they are when the process goes to another folder:", () => {
    beforeEach(() => {
      mkdirSync(join(folder, "elsewhere"));
      process.chdir(folder);
    });

    for (const resume of [false, true]) {
      it(`that of a download ${resume ? "that can be resumed" : ""}`, async function () {
        if (resume && process.geteuid === undefined) return this.skip();
        const started = download("file", { resume });
        started.once("httpDownloadProgress", () => process.chdir("elsewhere"));
        await started.done();
        expect(readFileSync(join(folder, "file")).equals(content)).to.equal(true);
        expect(readdirSync(folder).sort()).to.deep.equal(["elsewhere", "file"]);
        expect(readdirSync(join(folder, "elsewhere"))).to.deep.equal([]);
      });
    }

    for (const state of [undefined, "state"]) {
      it(`that of an upload, and its state${state === undefined ? "" : " of a name of its own"}`, async function () {
        // What is resumed is refused there, so that no part is waited for.
        if (!canSealInParts()) this.skip();
        writeFileSync("file", content);
        const resume = { secret: Buffer.alloc(32, 1), ...(state === undefined ? {} : { state }) };
        const params = { Bucket: BUCKET, Key: "up" };
        const pause = fixture.server.faults.pause({ operation: "UploadPart", partNumber: 1 });
        const client = fixture.client();
        const done = new EncryptedUpload({ client, params, file: "file", resume, partSize: 5 * MiB }).done();
        await pause.reached;
        process.chdir("elsewhere");
        pause.release();
        await done;
        expect(readdirSync(folder).sort()).to.deep.equal(["elsewhere", "file"]);
      });
    }

    it("that of an object that is opened away from S3", async () => {
      const { body, metadata } = await fixture.stored("object");
      const chunks = async function* (): AsyncGenerator<Uint8Array> {
        process.chdir("elsewhere");
        yield body;
      };
      await openObjectToFile({ Metadata: metadata, Body: chunks() }, "file", { keyring: TEST_KEYRING });
      expect(readFileSync(join(folder, "file")).equals(content)).to.equal(true);
    });

    it("the folder that ciphertext is spooled in", async () => {
      const client = fixture.client({ bufferSize: 0, spool: { directory: "elsewhere" } });
      process.chdir("elsewhere");
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "object" }));
      expect(content.equals((await Body?.transformToByteArray()) ?? Buffer.of())).to.equal(true);
    });
  });

  describe("that cannot be made are told of in a sentence:", () => {
    for (const resume of [false, true]) {
      it(`no folder${resume ? ", of a download that can be resumed" : ""}`, async function () {
        if (resume && process.geteuid === undefined) return this.skip();
        const { code, message, cause } = await refusal(download(join(folder, "no", "file"), { resume }).done());
        expect([code, message]).to.deep.equal(["invalid-argument", `There is no folder ${join(folder, "no")}.`]);
        expect(cause).to.have.property("code", "ENOENT");
      });
    }

    for (const [errno, text] of [
      ["EROFS", "is on a file system that can only be read; name another path."],
      ["EACCES", "no permission."],
    ] as const) {
      it(`a folder that takes none (${errno})`, async () => {
        for (const [name, resume] of [
          ["mkdtemp", false],
          ["mkdir", true],
        ] as const) {
          if (resume && process.geteuid === undefined) continue;
          const { code, message } = await failing(name, errno, () =>
            refusal(download(join(folder, "f"), { resume }).done()),
          );
          expect([code, message.includes(folder), message.endsWith(text)]).to.deep.equal([
            "invalid-argument",
            true,
            true,
          ]);
        }
        expect(readdirSync(folder)).to.deep.equal([]);
      });
    }

    it("below a file", async () => {
      writeFileSync(join(folder, "file"), "");
      for (const resume of [false, process.geteuid !== undefined]) {
        const path = join(folder, "file", "f");
        const { code, message } = await refusal(download(path, { resume }).done());
        expect(code).to.equal("invalid-argument");
        expect(message).to.contain(`${path} is below a file`);
      }
    });

    it("of a name that is too long", async () => {
      for (const resume of [false, process.geteuid !== undefined]) {
        const path = join(folder, "n".repeat(300));
        const { code, message } = await refusal(download(path, { resume }).done());
        expect(code).to.equal("invalid-argument");
        expect(message).to.contain(`${path} is too long for a path`);
      }
    });

    it("the spool directory", async () => {
      const directory = join(folder, "none");
      const client = fixture.client({ bufferSize: 0, spool: { directory } });
      const { code, message } = await refusal(client.send(new GetObjectCommand({ Bucket: BUCKET, Key: "object" })));
      expect([code, message]).to.deep.equal([
        "invalid-configuration",
        `There is no folder ${directory}. Objects above bufferSize are spooled there: name another folder in spool.directory, raise bufferSize, or set spool: false.`,
      ]);
    });

    it("the state of an upload, and the secret behind it", async () => {
      const file = join(folder, "file");
      writeFileSync(file, content);
      const params = { Bucket: BUCKET, Key: "up" };
      const upload = (resume: true | { state: string; secret: Uint8Array }): Promise<Error & { code: string }> =>
        refusal(new EncryptedUpload({ client: fixture.client(), params, file, resume }).done());
      const { code, message } = await upload({ state: join(folder, "no", "state"), secret: Buffer.alloc(32) });
      expect([code, message]).to.deep.equal([
        "invalid-argument",
        `There is no folder ${join(folder, "no")}. The state of an upload is kept there: name another place by resume: { state }.`,
      ]);
      const { XDG_CONFIG_HOME } = process.env;
      process.env.XDG_CONFIG_HOME = join(folder, "config");
      try {
        const without = await failing("mkdir", "EACCES", () => upload(true));
        expect(without.code).to.equal("invalid-configuration");
        expect(without.message).to.include("pass resume: { secret } (32 bytes, the same in each process)");
        expect(readdirSync(folder)).to.deep.equal(["file"]);
      } finally {
        if (XDG_CONFIG_HOME === undefined) delete process.env.XDG_CONFIG_HOME;
        else process.env.XDG_CONFIG_HOME = XDG_CONFIG_HOME;
      }
    });
  });

  describe("that are pipes", () => {
    before(function () {
      if (process.platform !== "linux") this.skip();
    });

    function pipe(name: string): string {
      execFileSync("mkfifo", [join(folder, name)]);
      return join(folder, name);
    }

    function upload(file: string): EncryptedUpload {
      return new EncryptedUpload({ client: fixture.client(), params: { Bucket: BUCKET, Key: "piped" }, file });
    }

    it("are uploaded, whoever opens them first, and also where nothing is written", async () => {
      for (const [index, bytes] of [content, Buffer.of(), content].entries()) {
        const file = pipe(`pipe-${index}`);
        await writeFile(join(folder, "source"), bytes);
        // By another process, since not every runtime can write to a pipe that it reads.
        const write = () => spawn("sh", ["-c", 'cat "$0" > "$1"', join(folder, "source"), file], { stdio: "ignore" });
        const writing = index === 0 ? write() : undefined;
        const done = upload(file).done();
        if (writing === undefined) write();
        await done;
        const { Body } = await fixture.client().send(new GetObjectCommand({ Bucket: BUCKET, Key: "piped" }));
        expect(bytes.equals((await Body?.transformToByteArray()) ?? Buffer.of(1))).to.equal(true);
      }
    });

    it("hold no thread while nobody writes to them, and are let go of by abort", async function () {
      // There they do, and nothing would go on behind them.
      if (process.versions["bun"] !== undefined || process.versions["deno"] !== undefined) this.skip();
      const uploads = Array.from({ length: 8 }, (_, index) => upload(pipe(`pipe-${index}`)));
      const done = uploads.map((started) => errorOf(started.done()));
      // More than there are threads: this one would never come back.
      for (let turn = 0; turn < 20; turn++) await stat(folder);
      for (const started of uploads) await started.abort();
      for (const error of await Promise.all(done)) expect(error.name).to.equal("AbortError");
      expect(readdirSync("/proc/self/fd").filter((fd) => pathOfDescriptor(fd).startsWith(folder))).to.deep.equal([]);
    });
  });

  describe("of processes that were killed", () => {
    before(function () {
      if (process.geteuid === undefined) this.skip();
    });

    /** What a download without `resume` leaves whose process is killed. */
    async function killed(): Promise<string> {
      const wrappingKey = randomBytes(32);
      const client = fixture.client({ keyring: new RawAesKeyring({ wrappingKey }) });
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "killed", Body: content }));
      const program = fileURLToPath(new URL("killed-download.js", import.meta.url));
      const child = fork(program, [String(MiB), join(folder, "file"), "once"], { stdio: "ignore" });
      child.send({ config: { ...fixture.server.clientConfig }, wrappingKey: wrappingKey.toString("hex") });
      await once(child, "exit");
      const [left = "", ...more] = readdirSync(folder);
      expect(left).to.match(/^\.s3ec-\w{6}$/);
      expect(more).to.deep.equal([]);
      expect(readdirSync(join(folder, left)).sort()).to.deep.equal(["lock-1", "partial"]);
      return join(folder, left);
    }
    it("go with the next download into their folder, which leaves alone what is not proven to be left", async () => {
      const left = await killed();
      const planted = {
        running: ".s3ec-aaaaaa",
        locked: ".s3ec-bbbbbb",
        unlocked: ".s3ec-cccccc",
        others: ".s3ec-dddddd",
        resumed: ".s3ec-resume-0123",
      };
      const lock = readFileSync(join(left, "lock-1"), "utf8");
      for (const name of Object.values(planted)) {
        mkdirSync(join(folder, name), { mode: 0o700 });
        writeFileSync(join(folder, name, "partial"), "");
        writeFileSync(join(folder, name, "lock-1"), lock);
      }
      rmSync(join(folder, planted.unlocked, "lock-1"));
      chmodSync(join(folder, planted.others), 0o755);
      writeFileSync(
        join(folder, planted.running, "lock-1"),
        JSON.stringify({ ...JSON.parse(lock), pid: process.pid, started: ownStart() }),
      );
      writeFileSync(
        join(folder, planted.locked, "lock-1"),
        JSON.stringify({ ...JSON.parse(lock), boot: "another", host: "another" }),
      );
      await download(join(folder, "other")).done();
      expect(readdirSync(folder).sort()).to.deep.equal([...Object.values(planted), "other"].sort());
      for (const name of Object.values(planted)) expect(readdirSync(join(folder, name))).to.include("partial");
    });
  });
});

/** Empty for the one that the folder itself was read by. */
function pathOfDescriptor(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

/** In ticks, as a lock has it; empty where the system does not tell. */
function ownStart(): string {
  if (process.platform !== "linux") return "";
  const stat = readFileSync(`/proc/${process.pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

/** Lets a function of the file system fail for as long as the work takes. */
async function failing<T>(name: "mkdir" | "mkdtemp", code: string, work: () => Promise<T>): Promise<T> {
  const original = fs.promises[name];
  const failed = async (): Promise<never> => {
    throw Object.assign(new Error(`${code}: refused`), { code, syscall: name, path: resolve(".") });
  };
  Object.assign(fs.promises, { [name]: failed });
  syncBuiltinESMExports();
  try {
    return await work();
  } finally {
    Object.assign(fs.promises, { [name]: original });
    syncBuiltinESMExports();
  }
}
