import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { promisify } from "node:util";
import { expect } from "chai";
import { BIN, start } from "../command.js";
import { ObjectsSetting } from "./objects-setting.js";

const run = promisify(execFile);

describe("s3ec with objects, as a process", function () {
  this.timeout(60_000);
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

  it("a full disk ends it, and nothing is left behind", async () => {
    const { code, stderr } = await shell("s3ec cat s3://demo/t/1 > /dev/full");
    expect(code).to.equal(7);
    expect(stderr).to.equal("s3ec: The disk is full.\n");
  });

  it("SIGINT ends a sync down, and leaves no partial file and no folder of its own", async () => {
    at.server.faults.add({ operation: "GetObject", throttleBytesPerSecond: 20_000 });
    const { child, outcome } = start(["sync", "s3://demo/t", "down", "--dev-server", at.server.endpoint], at.folder);
    while (at.asked("GetObject") < 5) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGINT");
    const { code, stderr } = await outcome;
    expect(code).to.equal(130);
    expect(stderr).to.contain("Interrupted");
    for (const name of readdirSync(`${at.folder}/down`)) expect(at.read(`down/${name}`)).to.have.length(100_000);
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
