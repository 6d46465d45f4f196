import { spawnSync } from "node:child_process";
import fs, { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";
import { ProcessLock } from "../dist/transfer/process-lock.js";
import { refusal } from "./fixture.js";

/** What a process that was killed has left. */
const GONE = JSON.stringify({
  host: hostname(),
  boot: "an earlier one",
  namespace: "",
  pid: 1,
  started: "",
  id: "gone",
});

describe("the lock of a transfer", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-lock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is one process's, for as long as it has it, and leaves nothing", async () => {
    const lock = await ProcessLock.acquire(folder, "a.");
    const { code, message } = await refusal(ProcessLock.acquire(folder, "a."));
    expect([code, message]).to.deep.equal([
      "transfer-in-use",
      `Process ${process.pid} is at this transfer: wait for it, or end it.`,
    ]);
    const other = await ProcessLock.acquire(folder, "b.");
    await lock.release();
    const again = await ProcessLock.acquire(folder, "a.");
    await again.release();
    await other.release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("passes on from a process that was killed, also while it was making one, which goes with it", async () => {
    for (const name of ["a.lock-1", "a.lock-7", "a.lock-1b6f-4", "a.lock-cut"]) {
      writeFileSync(join(folder, name), name === "a.lock-cut" ? "" : GONE);
    }
    writeFileSync(join(folder, "a.lock.txt"), "somebody else's");
    const lock = await ProcessLock.acquire(folder, "a.");
    expect(readdirSync(folder)).to.include("a.lock-8");
    await lock.release();
    expect(readdirSync(folder)).to.deep.equal(["a.lock.txt"]);
  });

  it("stays with one of another machine, and with one that any lock names", async () => {
    const elsewhere = JSON.stringify({ ...JSON.parse(GONE), host: "elsewhere" });
    writeFileSync(join(folder, "lock-1"), elsewhere);
    const { code, message } = await refusal(ProcessLock.acquire(folder));
    expect(code).to.equal("transfer-in-use");
    expect(message)
      .to.include("Process 1 of elsewhere")
      .and.to.include(`delete ${join(folder, "lock-1")}.`);
    writeFileSync(join(folder, "lock-2"), GONE);
    expect((await refusal(ProcessLock.acquire(folder))).code).to.equal("transfer-in-use");
    expect(readdirSync(folder)).to.deep.equal(["lock-1", "lock-2"]);
  });

  describe("is not taken by a process that looked long ago", () => {
    let slow: Promise<S3EncryptionError>;
    let goOn = (): void => {};
    beforeEach(async () => {
      writeFileSync(join(folder, "lock-1"), GONE);
      const { link } = fs.promises;
      const mayGoOn = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      await new Promise<void>((stalled) => {
        fs.promises.link = async (from, to) => {
          fs.promises.link = link;
          syncBuiltinESMExports();
          stalled();
          await mayGoOn;
          await link(from, to);
        };
        syncBuiltinESMExports();
        slow = refusal(ProcessLock.acquire(folder));
      });
    });

    it("before two others had it", async () => {
      await (await ProcessLock.acquire(folder)).release();
      expect(readdirSync(folder).filter((name) => /^lock-\d$/.test(name))).to.deep.equal([]);
      const lock = await ProcessLock.acquire(folder);
      goOn();
      expect((await slow).code).to.equal("transfer-in-use");
      await lock.release();
      expect(readdirSync(folder)).to.deep.equal([]);
    });

    it("before another had a later one", async () => {
      writeFileSync(join(folder, "lock-3"), JSON.stringify({ ...JSON.parse(GONE), host: "elsewhere" }));
      goOn();
      expect((await slow).code).to.equal("transfer-in-use");
      expect(readdirSync(folder)).to.deep.equal(["lock-1", "lock-3"]);
    });
  });

  it("is not that of a later process with the number of the one that made it", async function () {
    if (process.platform !== "linux") return this.skip();
    const lock = await ProcessLock.acquire(folder);
    const [name = ""] = readdirSync(folder);
    const holder = JSON.parse(fs.readFileSync(join(folder, name), "utf8"));
    await lock.release();
    writeFileSync(join(folder, "lock-1"), JSON.stringify({ ...holder, started: "1" }));
    await (await ProcessLock.acquire(folder)).release();
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(join(folder, "lock-1"), JSON.stringify({ ...holder, pid }));
    await (await ProcessLock.acquire(folder)).release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});
