import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { BIN, type Outcome, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const run = promisify(execFile);

describe("s3ec with streams and names", () => {
  let server: DevServer;
  let temporary: ReturnType<typeof temporaryFolder>;
  let folder: string;
  const plaintext = randomBytes(100_000);

  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    temporary = temporaryFolder();
    folder = temporary.folder;
    writeFileSync(join(folder, "in"), plaintext);
    writeFileSync(join(folder, "app.key"), randomBytes(32), { mode: 0o600 });
    writeFileSync(
      join(folder, "s3ec.config.json"),
      JSON.stringify({ keyring: { type: "raw-aes", wrappingKey: { file: "app.key" } } }),
    );
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect((await local("put", "in", "s3://demo/a/report.pdf")).code).to.equal(0);
  });
  after(async () => {
    await server.close();
    temporary.remove();
  });

  function local(...args: string[]): Promise<Outcome> {
    return s3ec([...args, "--dev-server", server.endpoint], folder);
  }

  for (const file of ["/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled"]) {
    (existsSync(file) ? it : it.skip)(`put all of ${file}, whatever its size says`, async () => {
      expect((await local("put", file, "s3://demo/system")).stderr).to.equal("");
      expect((await local("get", "s3://demo/system", "system")).stderr).to.equal("");
      expect(readFileSync(join(folder, "system"), "utf8")).to.equal(readFileSync(file, "utf8"));
    });
  }

  describe("that a shell has closed", () => {
    before(function () {
      if (process.platform !== "linux") this.skip();
    });
    const shell = async (line: string): Promise<Outcome> => {
      const s3ecIn = `"${process.execPath}" "${BIN}"`;
      const script = line.replace("s3ec", s3ecIn).replace("--local", `--dev-server ${server.endpoint}`);
      const outcome = run("bash", ["-c", script], { cwd: folder }).then(
        ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
        ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
      );
      return await outcome;
    };

    for (const line of [
      "s3ec put - s3://demo/closed --local <&-",
      "s3ec put /dev/stdin s3://demo/closed --local <&-",
      "s3ec cp - s3://demo/closed --local <&-",
      "s3ec encrypt - -o closed.enc <&-",
      "s3ec decrypt - -o closed <&-",
      "s3ec decrypt in -o closed --head - <&-",
      "s3ec verify s3://demo --keys - --local <&-",
    ]) {
      it(`are read by nobody: ${line}`, async () => {
        const { code, stderr } = await shell(line);
        expect(stderr).to.contain("Standard input is closed").and.contain("</dev/null");
        expect(code).to.equal(2);
        expect(existsSync(join(folder, "closed.enc"))).to.equal(false);
      });
    }

    it("are others than /dev/null, which is empty, or has no reader", async () => {
      const put = await shell("s3ec put - s3://demo/null --local </dev/null");
      expect([put.code, put.stdout]).to.deep.equal([0, "Encrypted 0 bytes of standard input into s3://demo/null.\n"]);
      for (const nobody of [">/dev/null", "1<>/dev/null"]) {
        const line = `s3ec cat s3://demo/a/report.pdf --local ${nobody}`;
        expect(await shell(line), nobody).to.include({ code: 0, stderr: "" });
      }
      const closed = await shell("s3ec put in s3://demo/other --local <&-");
      expect([closed.code, closed.stderr]).to.deep.equal([0, ""]);
    });
  });

  it("put an empty file", async () => {
    writeFileSync(join(folder, "empty"), "");
    expect((await local("put", "empty", "s3://demo/empty")).stdout).to.match(/^Encrypted 0 bytes of empty/);
    expect((await local("get", "s3://demo/empty", "nothing")).code).to.equal(0);
    expect(statSync(join(folder, "nothing")).size).to.equal(0);
  });

  it("name the options of the command line where raw keys bind no context", async () => {
    const { code, stderr } = await local("put", "in", "s3://demo/bound", "--context", "tenant=a");
    expect({ code, stderr }).to.deep.equal({
      code: 2,
      stderr:
        "s3ec: Only KMS keyrings bind an encryption context; pass --description with raw keys, or leave it out. Where an object has a context, a further or new key that binds none is given so: --no-to-context.\n",
    });
  });

  it("take one local server, not two", async () => {
    const { code, stderr } = await local("put", "in", "s3://demo/two", "--dev");
    expect(code).to.equal(2);
    expect(stderr).to.contain("cannot be used with option '--dev-server <URL>'");
    expect(existsSync(join(folder, ".s3ec-dev"))).to.equal(false);
  });

  /** A line of a shell, in which `s3ec` is the command. */
  async function shell(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const script = `s3ec() { "${process.execPath}" "${BIN}" "$@" --dev-server ${server.endpoint}; }; ${line}`;
    try {
      return { code: 0, ...(await run("bash", ["-c", script], { cwd: folder })) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  }

  async function stored(key: string): Promise<Buffer> {
    const { code, stderr } = await local("get", `s3://demo/${key}`, "got");
    expect(stderr).to.equal("");
    expect(code).to.equal(0);
    return readFileSync(join(folder, "got"));
  }

  for (const [name, line] of [
    ["-", "s3ec put - s3://demo/piped < in"],
    ["- of a pipe", "cat in | s3ec put - s3://demo/piped"],
    ["/dev/stdin", "cat in | s3ec put /dev/stdin s3://demo/piped"],
    ["a substituted process", "s3ec put <(cat in) s3://demo/piped"],
    ["an open descriptor", "s3ec put /dev/fd/7 s3://demo/piped 7< in"],
    ["a named pipe", "cat in > pipe & s3ec put pipe s3://demo/piped; wait"],
    ["a named pipe that gets its writer later", "(sleep 1; cat in > pipe) & s3ec put pipe s3://demo/piped; wait"],
  ] as const) {
    it(`puts what it reads from ${name}`, async () => {
      const { code, stderr } = await shell(line);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
      expect((await stored("piped")).equals(plaintext)).to.equal(true);
    });
  }

  it("puts a stream that is larger than one request, and an empty device", async () => {
    expect(await shell("head -c 20000000 /dev/zero | s3ec put - s3://demo/large")).to.include({ code: 0 });
    expect((await stored("large")).equals(Buffer.alloc(20_000_000))).to.equal(true);
    expect(await shell("s3ec put /dev/null s3://demo/empty")).to.include({ code: 0 });
    expect((await stored("empty")).length).to.equal(0);
  });

  const GET = "s3ec get s3://demo/a/report.pdf";
  for (const [name, line] of [
    ["-", `${GET} - > out`],
    ["- into a pipe", `${GET} - | cat > out`],
    ["/dev/stdout", `${GET} /dev/stdout > out`],
    ["/dev/stdout in a pipe", `${GET} /dev/stdout | cat > out`],
    ["/dev/fd/1", `${GET} /dev/fd/1 > out`],
    ["/proc/self/fd/1", `${GET} /proc/self/fd/1 > out`],
    ["a link to /dev/stdout", `ln -sf /dev/stdout link; ${GET} link > out`],
    ["another open descriptor", `${GET} /dev/fd/7 7> out > /dev/null`],
    ["a named pipe", `cat pipe > out & ${GET} pipe > /dev/null; wait`],
    ["a named pipe that gets its reader later", `(sleep 1; cat pipe > out) & ${GET} pipe > /dev/null; wait`],
  ] as const) {
    it(`gets into ${name}, which keeps its identity`, async () => {
      writeFileSync(join(folder, "out"), "");
      const { ino } = statSync(join(folder, "out"));
      const { code, stdout } = await shell(line);
      expect({ code, stdout }).to.deep.equal({ code: 0, stdout: "" });
      expect(readFileSync(join(folder, "out")).equals(plaintext)).to.equal(true);
      expect(statSync(join(folder, "out")).ino).to.equal(ino);
      expect(readdirSync(folder).filter((entry) => entry.startsWith("."))).to.deep.equal([]);
    });
  }

  it("appends to what the shell appends to, and says how much on standard error", async () => {
    writeFileSync(join(folder, "out"), "before");
    const { stderr } = await shell(`${GET} - >> out`);
    expect(stderr).to.equal("Decrypted 100000 bytes of s3://demo/a/report.pdf into standard output.\n");
    expect(readFileSync(join(folder, "out")).subarray(6).equals(plaintext)).to.equal(true);
  });

  it("leaves a device what it is", async () => {
    expect(await shell(`${GET} /dev/null`)).to.include({ code: 0, stderr: "" });
    expect(statSync("/dev/null").isCharacterDevice()).to.equal(true);
  });

  it("gives out nothing of an altered object, and not a byte on a stream", async () => {
    const corrupt = server.faults.add({ operation: "GetObject", key: "a/report.pdf", corruptByteAt: 50_000 });
    const { code, stdout } = await shell(`${GET} -`);
    corrupt();
    expect({ code, stdout }).to.deep.equal({ code: 6, stdout: "" });
  });

  it("says in a sentence that the reader of its output went away", async () => {
    await shell("head -c 20000000 /dev/zero | s3ec put - s3://demo/large");
    const { code, stderr } = await shell("set -o pipefail; s3ec get s3://demo/large - | head -c 10 > /dev/null");
    expect(code).to.equal(7);
    expect(stderr).to.equal("s3ec: Whoever reads the output stopped before its end (EPIPE).\n");
  });

  it("says that the disk is full, and leaves nothing", async function () {
    if (!existsSync("/dev/full")) this.skip();
    for (const line of [`${GET} -`, "s3ec inspect s3://demo/a/report.pdf", `${GET} out`]) {
      const { code, stderr } = await shell(`${line} > /dev/full`);
      expect({ code, stderr }).to.deep.equal({ code: 7, stderr: "s3ec: The disk is full.\n" });
    }
  });

  it("works without standard streams", async () => {
    expect(await shell("s3ec put in s3://demo/closed <&- >&- 2>&-")).to.include({ code: 0 });
    expect((await stored("closed")).equals(plaintext)).to.equal(true);
    expect(await shell(`${GET} out <&- >&- 2>&-`)).to.include({ code: 0 });
    expect(readFileSync(join(folder, "out")).equals(plaintext)).to.equal(true);
  });

  describe("a trailing slash", () => {
    it("takes the file's name", async () => {
      mkdirSync(join(folder, "into"), { recursive: true });
      for (const [file, destination, key] of [
        ["in", "s3://demo/dir/", "dir/in"],
        ["./into/../in", "s3://demo/", "in"],
      ] as const) {
        const { code, stdout } = await local("put", file, destination);
        expect({ code, stdout }).to.deep.equal({
          code: 0,
          stdout: `Encrypted 100000 bytes of ${file} into s3://demo/${key}.\n`,
        });
      }
      expect((await stored("dir/in")).equals(plaintext)).to.equal(true);
      const { stdout } = await local("get", "s3://demo/a/report.pdf", "into/");
      expect(stdout).to.match(/into into\/report\.pdf\.$/m);
      expect(readFileSync(join(folder, "into/report.pdf")).equals(plaintext)).to.equal(true);
    });

    it("is said where there is no folder, or none that a file could be in, as what the disk refuses", async () => {
      for (const [target, words] of [
        ["none/such/file", /There is no folder .*none\/such\.$/m],
        ["into/report.pdf/file", /is below a file, where only a folder can be/],
      ] as const) {
        const { code, stderr } = await local("get", "s3://demo/a/report.pdf", target);
        expect(stderr).to.match(words);
        expect(code).to.equal(7);
      }
    });

    it("is refused where there is no name, or one that leads out of the folder", async () => {
      for (const [args, words] of [
        [["put", "-", "s3://demo/dir/"], /write the whole key/],
        [["put", "/dev/stdin", "s3://demo/dir/"], /write the whole key/],
        [["get", "s3://demo/dir/", "into/"], /no name that a file could have/],
        [["get", "s3://demo/a/..", "into/"], /no name that a file could have/],
        [["get", "s3://demo/a/report.pdf", "into"], /is a folder: name a file, or write into\//],
        [["get", "s3://demo/", "out"], /s3:\/\/bucket\/key/],
      ] as const) {
        const { code, stderr } = await local(...args);
        expect(stderr).to.match(words);
        expect(code).to.equal(2);
      }
    });
  });
});
