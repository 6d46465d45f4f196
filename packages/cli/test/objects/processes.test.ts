import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { promisify } from "node:util";
import { expect } from "chai";
import { BIN, start } from "../command.js";
import { ObjectsSetting } from "./objects-setting.js";

const run = promisify(execFile);

describe("s3ec with objects, as a process", () => {
  let at: ObjectsSetting;
  before(async () => {
    at = await ObjectsSetting.start(["demo"]);
    for (let number = 0; number < 30; number += 1) at.write(`tree/${number}`, "x".repeat(100_000));
    await at.run("sync", "tree", "s3://demo/t");
  });
  after(() => at.end());

  async function shell(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const script = `set -o pipefail; s3ec() { "${process.execPath}" "${BIN}" "$@" --dev-server ${at.server.endpoint}; }; ${line}`;
    return await run("bash", ["-c", script], { cwd: at.folder }).then(
      (out) => ({ code: 0, ...out }),
      (error) => error as { code: number; stdout: string; stderr: string },
    );
  }

  it("cat ends without a word when its reader has enough", async () => {
    const keys = Array.from({ length: 30 }, (_, number) => `s3://demo/t/${number}`).join(" ");
    const { code, stdout, stderr } = await shell(`s3ec cat ${keys} | head -c 3`);
    expect({ code, stdout, stderr }).to.deep.equal({ code: 141, stdout: "xxx", stderr: "" });
  });

  it("ls stops when its reader has enough, and a transfer goes on", async () => {
    expect(await shell("s3ec cp tree s3://demo/u --recursive | head -n 1")).to.include({ code: 0, stderr: "" });
    expect((await at.run("ls", "s3://demo/u/", "--summarize")).stdout).to.contain("Total Objects: 30");
  });

  it("cp takes standard input, and says nothing on standard output", async () => {
    expect(
      await shell("printf hello | s3ec cp - s3://demo/piped --expected-size 5 && s3ec cat s3://demo/piped"),
    ).to.include({
      code: 0,
      stdout: "hello",
    });
  });

  it("cat says that the disk is full which its output goes to", async () => {
    const { code, stderr } = await shell("s3ec cat s3://demo/t/1 > /dev/full");
    expect(code).to.equal(7);
    expect(stderr).to.equal("s3ec: The disk is full.\n");
  });

  it("a full disk ends it, and nothing but whole files is left", async function () {
    // A file system of one's own, which goes with the shell.
    const unshared = (script: string) => run("unshare", ["-rm", "bash", "-ec", script], { cwd: at.folder });
    const mount = "mkdir -p small; mount -t tmpfs -o size=512k tmpfs small";
    if (
      !(await unshared(mount).then(
        () => true,
        () => false,
      ))
    ) {
      console.log("      Without the right to mount a file system, no disk can be made full.");
      this.skip();
    }
    const s3ec = `"${process.execPath}" "${BIN}" cp s3://demo/t small --recursive --dev-server ${at.server.endpoint}`;
    const { stdout, stderr } = await unshared(
      `${mount}; ${s3ec} >/dev/null || echo "exit $?"; ls -A small; find small -type f ! -size 100000c`,
    );
    const [exit, ...left] = stdout.trim().split("\n");
    expect(exit).to.equal("exit 7");
    expect(stderr).to.match(/does not fit into the file system of \S*small, which is full|bytes do not fit into/);
    expect(stderr).to.match(
      /^download failed: s3:\/\/demo\/t\/\d+ to small\/\d+ .*\n1 of \d+ failed|^download failed: .*\ns3ec: 1 of \d+ failed/m,
    );
    expect(left.length).to.be.within(1, 5);
    for (const name of left) expect(name).to.match(/^\d+$/);
  });

  it("SIGINT ends a sync down, says what was done, and leaves no partial file and no folder of its own", async () => {
    // The first ones come, and the others are under way when it ends.
    at.server.faults.add({ operation: "GetObject", key: /^t\/[2-9]/, throttleBytesPerSecond: 20_000 });
    at.server.clearRequests();
    const args = ["sync", "s3://demo/t", "down", "--json", "--dev-server", at.server.endpoint];
    const { child, outcome } = start(args, at.folder);
    const arrived = (): string[] => (existsSync(`${at.folder}/down`) ? at.files("down") : []);
    const first = ["0", "1", ...Array.from({ length: 10 }, (_, number) => `1${number}`)];
    while (!first.every((name) => arrived().includes(name)) || at.asked("GetObject") < 15) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill("SIGINT");
    const { code, stdout, stderr } = await outcome;
    expect(code).to.equal(130);
    expect(stderr).to.equal("s3ec: Interrupted. Some of it may be done; nothing was left behind of the rest.\n");
    const last = stdout.trim().split("\n").slice(-2);
    expect(last.map((line) => JSON.parse(line))).to.deep.equal([
      { totals: { done: 12, failed: 0, skipped: 0, plain: 0, bytes: 1_200_000 } },
      { error: { code: "interrupted", problem: stderr.trim().slice("s3ec: ".length), exitCode: 130 } },
    ]);
    expect(readdirSync(`${at.folder}/down`)).to.deep.equal(first);
    for (const name of first) expect(at.read(`down/${name}`)).to.have.length(100_000);
    at.server.faults.clear();
  });

  it("SIGINT ends a sync up, and leaves no upload open", async () => {
    at.write("big", Buffer.alloc(70 * 1024 * 1024));
    at.server.faults.add({ operation: "UploadPart", delayMs: 300 });
    const { child, outcome } = start(["cp", "big", "s3://demo/big", "--dev-server", at.server.endpoint], at.folder);
    while (at.server.openUploads.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGINT");
    expect((await outcome).code).to.equal(130);
    expect(at.server.openUploads).to.have.length(0);
  });
});
