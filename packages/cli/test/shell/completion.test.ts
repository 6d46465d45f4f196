import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { TOPICS } from "../../dist/help/topics.js";
import { Interrupts } from "../../dist/interruption.js";
import { program } from "../../dist/program.js";
import { completeAddress } from "../../dist/shell/complete-address.js";
import { completeWords } from "../../dist/shell/complete-words.js";
import { completionScript } from "../../dist/shell/completion-scripts.js";
import { BIN, temporaryFolder } from "../command.js";

const run = promisify(execFile);

function completed(...words: string[]): ReturnType<typeof completeWords> {
  using interrupts = new Interrupts();
  return completeWords(
    program(interrupts, () => {}),
    words,
    Object.keys(TOPICS),
  );
}

describe("completed words", () => {
  for (const [words, expected] of [
    [["dec"], ["decrypt"]],
    [
      ["recipients", ""],
      ["add", "remove", "list"],
    ],
    [["config", "po"], ["policy"]],
    [["get", "--conf"], ["--config"]],
    [["get", "--config", "x", "--cont"], ["--context"]],
    [
      ["recipients", "add", "s3://b/k", "partner", "--in", ""],
      ["annotation", "instruction-file"],
    ],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [["help", "exit"], ["exit-codes"]],
    [["help", "decr"], ["decrypt"]],
    [
      ["help", "recipients", ""],
      ["add", "remove", "list"],
    ],
    [
      ["schema", "re"],
      ["rewrap", "recipients"],
    ],
    [["schema", "recipients", "l"], ["list"]],
    [["schema", "verify", ""], []],
    [["recipients", "add", "s3://b/", "partner", "--recu"], ["--recursive"]],
    [["keygen", "aes", "--js"], ["--json"]],
    [["get", ""], ["s3://"]],
    [["put", "file", "s3"], ["s3://"]],
    [["decrypt", "x", "--object", ""], ["s3://"]],
    // Files are the shell's.
    [["put", ""], []],
    [["get", "s3://b/k", ""], []],
    [["get", "--config", ""], []],
    [["nothing", ""], []],
    [["complet"], ["completion"]],
  ] as const) {
    it(JSON.stringify(words.join(" ")), () => {
      expect(completed(...words).words).to.deep.equal(expected);
    });
  }

  it("are of S3 where an address has begun, asked with the options that were given", () => {
    expect(completed("get", "--config", "a.json", "--use=b", "s3://demo/re")).to.deep.equal({
      words: [],
      address: "s3://demo/re",
      given: { config: "a.json", use: "b" },
    });
    expect(completed("get", "s3://demo/re", "s3").address).to.equal(undefined);
  });
});

describe("completed addresses", () => {
  let server: DevServer;
  let client: S3Client;
  const { folder, remove } = temporaryFolder();

  before(async () => {
    server = await startDevServer({ buckets: ["demo", "other"] });
    client = new S3Client({ ...server.clientConfig, maxAttempts: 1 });
    for (const Key of ["report.pdf", "2026/a", "2026/b", "with space", "two\nlines"]) {
      await client.send(new PutObjectCommand({ Bucket: "demo", Key, Body: "x" }));
    }
  });
  afterEach(() => server.faults.clear());
  after(async () => {
    client.destroy();
    await server.close();
    remove();
  });

  it("are buckets, then folders and keys, a line each", async () => {
    expect(await completeAddress(client, "s3://d")).to.deep.equal(["s3://demo/"]);
    expect(await completeAddress(client, "s3://demo/")).to.deep.equal([
      "s3://demo/2026/",
      "s3://demo/report.pdf",
      "s3://demo/with space",
    ]);
    expect(await completeAddress(client, "s3://demo/2026/a")).to.deep.equal(["s3://demo/2026/a"]);
  });

  it("are none where S3 refuses, or does not answer in time", async () => {
    expect(await completeAddress(client, "s3://nowhere/")).to.deep.equal([]);
    server.faults.add({ operation: "ListObjectsV2", delayMs: 600_000 });
    expect(await completeAddress(client, "s3://demo/")).to.deep.equal([]);
  });

  /** A folder whose `s3ec` is ours. */
  function path(): string {
    mkdirSync(join(folder, "bin"), { recursive: true });
    const file = join(folder, "bin", "s3ec");
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`, { mode: 0o755 });
    return `${join(folder, "bin")}:${process.env.PATH}`;
  }

  it("are what bash puts behind the last colon, quoted for it", async () => {
    const line = `s3ec get --dev-server ${server.endpoint} s3://demo/`;
    const script = `${completionScript("bash")}
COMP_LINE="$1" COMP_POINT=\${#1}
_s3ec_complete
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: path() };
    const completedBy = async (text: string): Promise<string[]> =>
      (await run("bash", ["-c", script, "bash", text], { env, cwd: folder })).stdout.trim().split("\n");
    expect(await completedBy(line)).to.deep.equal([
      "//demo/2026/",
      "//demo/report.pdf",
      String.raw`//demo/with\ space`,
    ]);
    expect(await completedBy("s3ec decr")).to.deep.equal(["decrypt"]);
    expect(await completedBy("s3ec put ")).to.deep.equal([""]);
  });

  it("are what fish completes, where it is installed", async function () {
    if (spawnSync("fish", ["--version"]).status !== 0) {
      console.log("      skipped: fish is not installed");
      return this.skip();
    }
    const line = `s3ec get --dev-server ${server.endpoint} s3://demo/`;
    const script = `${completionScript("fish")}\ncomplete -C "${line}"\ncomplete -C "s3ec decr"`;
    const env = { ...process.env, PATH: path(), HOME: folder };
    const { stdout } = await run("fish", ["--no-config", "-c", script], { env, cwd: folder });
    expect(stdout.trim().split("\n")).to.deep.equal([
      "s3://demo/2026/",
      "s3://demo/report.pdf",
      "s3://demo/with space",
      "decrypt",
    ]);
  });

  it("are a script that zsh takes, where it is installed", async function () {
    if (spawnSync("zsh", ["--version"]).status !== 0) {
      console.log("      skipped: zsh is not installed");
      return this.skip();
    }
    const line = ["s3ec", "get", "--dev-server", server.endpoint, "s3://demo/"];
    // What the completion system would be told.
    const script = `compdef() { :; }
compadd() { print -rl -- "$@"; }
_files() { print -r files; }
${completionScript("zsh")}
words=("$@") CURRENT=$#
_s3ec`;
    const env = { ...process.env, PATH: path() };
    const completedBy = async (...words: string[]): Promise<string> =>
      (await run("zsh", ["-fc", script, "zsh", ...words], { env, cwd: folder })).stdout;
    expect(await completedBy(...line)).to.equal(
      "-S\n\n--\ns3://demo/2026/\n--\ns3://demo/report.pdf\ns3://demo/with space\n",
    );
    expect(await completedBy("s3ec", "put", "")).to.equal("files\n");
  });
});
