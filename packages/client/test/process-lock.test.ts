import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import fs, { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3EncryptionError } from "@s3ec/materials";
import { expect } from "chai";
import { holderIn, type ProcessIdentity, stateOf, thisProcess } from "../dist/transfer/process-identity.js";
import { ProcessLock } from "../dist/transfer/process-lock.js";
import { refusal } from "./fixture.js";
import { errorOf } from "./transfers.js";

/** What a process that was killed has left. */
const GONE = JSON.stringify({ ...(await thisProcess()), pid: spawnSync(process.execPath, ["-e", ""]).pid, id: "gone" });

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
    const [killed, cut] = [`a.lock-${randomUUID()}`, `a.lock-${randomUUID()}`];
    for (const name of ["a.lock-1", "a.lock-7", killed, cut])
      writeFileSync(join(folder, name), name === cut ? "" : GONE);
    for (const name of ["a.lock.txt", "a.lock-notes"]) writeFileSync(join(folder, name), "somebody else's");
    const lock = await ProcessLock.acquire(folder, "a.");
    expect(readdirSync(folder)).to.include("a.lock-8");
    await lock.release();
    expect(readdirSync(folder)).to.have.members(["a.lock.txt", "a.lock-notes"]);
  });

  it("that was deleted leaves alone the one that another process has made since", async () => {
    writeFileSync(join(folder, "lock-1"), GONE);
    const lock = await ProcessLock.acquire(folder);
    for (const name of ["lock-1", "lock-2"]) rmSync(join(folder, name));
    const other = JSON.stringify({ ...JSON.parse(GONE), host: "elsewhere", machine: "another", boot: "another" });
    for (const name of ["lock-1", "lock-2"]) writeFileSync(join(folder, name), other);
    expect(await lock.isHeld()).to.equal(false);
    await lock.release();
    expect(readdirSync(folder)).to.have.members(["lock-1", "lock-2"]);
  });

  it("is that of a process that runs where the time of its start cannot be read", async () => {
    const us = await thisProcess();
    expect(await stateOf({ ...us, started: "" }, us)).to.equal("running");
    expect(await stateOf({ ...us, started: "1" }, us)).to.equal(us.started === "" ? "running" : "gone");
  });

  it("is unknown to a machine that was resumed from the same snapshot", async () => {
    const us = { ...(await thisProcess()), machine: "a" };
    expect(await stateOf({ ...us, machine: "b", pid: JSON.parse(GONE).pid }, us)).to.equal("unknown");
  });

  it("stays with one of another machine, and with one that any lock names", async () => {
    const elsewhere = JSON.stringify({ ...JSON.parse(GONE), host: "elsewhere", machine: "another", boot: "another" });
    writeFileSync(join(folder, "lock-1"), elsewhere);
    const { code, message } = await refusal(ProcessLock.acquire(folder));
    expect(code).to.equal("transfer-in-use");
    expect(message)
      .to.include(" of elsewhere,")
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
      writeFileSync(
        join(folder, "lock-3"),
        JSON.stringify({ ...JSON.parse(GONE), host: "elsewhere", boot: "another" }),
      );
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

  describe("tells of a process on a machine that started again", () => {
    const us: ProcessIdentity = { host: "h", machine: "m", boot: "b", namespace: "n", pid: process.pid, started: "" };
    const before = { ...us, boot: "earlier" };

    it("that it is gone, where it is this very machine", async () => {
      expect(await stateOf(before, us)).to.equal("gone");
    });

    it("nothing, where only its name is this one's: two may share a name and a folder, and encrypt twice (S18)", async () => {
      const { machine: _, ...former } = before;
      for (const holder of [
        { ...before, machine: "another" },
        { ...before, machine: "" },
        { ...before, host: "another" },
        holderIn(JSON.stringify(former)),
      ]) {
        expect(await stateOf(holder, us)).to.equal("unknown");
      }
      expect(await stateOf({ ...before, machine: "" }, { ...us, machine: "" })).to.equal("unknown");
    });

    it("nothing, where a system does not tell when it started and which machine it is", async () => {
      const nameless = { ...us, machine: "", boot: "" };
      expect(await stateOf(nameless, nameless)).to.equal("unknown");
      expect(await stateOf({ ...before, boot: "" }, us)).to.equal("unknown");
      const { pid } = spawnSync(process.execPath, ["-e", ""]);
      expect(await stateOf({ ...us, boot: "", pid }, { ...us, boot: "" })).to.equal("gone");
    });
  });

  describe("in a folder where others may write", () => {
    const planted: Readonly<Record<string, (path: string) => void>> = {
      "a folder": (path) => mkdirSync(path),
      "a pipe that nobody writes to": (path) => execFileSync("mkfifo", [path]),
      "a link to a lock": (path) => {
        writeFileSync(join(folder, "elsewhere"), GONE);
        symlinkSync(join(folder, "elsewhere"), path);
      },
      "what is too large": (path) => writeFileSync(path, Buffer.alloc(1024 * 1024)),
    };
    for (const [what, plant] of Object.entries(planted)) {
      it(`is refused for ${what} with its name`, async function () {
        if (process.platform === "win32") return this.skip();
        plant(join(folder, "lock-1"));
        const before = readdirSync(folder);
        const { code, message } = await refusal(ProcessLock.acquire(folder));
        expect([code, message.includes(join(folder, "lock-1"))]).to.deep.equal(["unsupported-operation", true]);
        expect(readdirSync(folder)).to.deep.equal(before);
      });
    }

    it("is refused where no number is left for it, and ends for longer ones", async () => {
      writeFileSync(join(folder, "lock-9999999999999999"), GONE);
      await (await ProcessLock.acquire(folder)).release();
      expect(readdirSync(folder)).to.deep.equal([]);
      writeFileSync(join(folder, "lock-999999999999999"), GONE);
      expect((await refusal(ProcessLock.acquire(folder))).code).to.equal("unsupported-operation");
      expect(readdirSync(folder)).to.deep.equal(["lock-999999999999999"]);
    });

    it("leaves nothing of its own where it cannot remove those of others", async () => {
      writeFileSync(join(folder, "lock-1"), GONE);
      const lock = await ProcessLock.acquire(folder);
      const { rm } = fs.promises;
      fs.promises.rm = async (path, options) => {
        if (path === join(folder, "lock-1")) throw Object.assign(new Error("not permitted"), { code: "ENOTDIR" });
        await rm(path, options);
      };
      syncBuiltinESMExports();
      try {
        await lock.release();
      } finally {
        fs.promises.rm = rm;
        syncBuiltinESMExports();
      }
      expect(readdirSync(folder)).to.deep.equal(["lock-1"]);
    });

    /** Refuses while no link can be made. */
    async function withoutLinks(code: string): Promise<{ readonly error: S3EncryptionError; readonly tries: number }> {
      const { link } = fs.promises;
      let tries = 0;
      fs.promises.link = async () => {
        tries++;
        throw Object.assign(new Error("no link"), { code });
      };
      syncBuiltinESMExports();
      try {
        return { error: await refusal(ProcessLock.acquire(folder)), tries };
      } finally {
        fs.promises.link = link;
        syncBuiltinESMExports();
      }
    }

    it("says so where the file system has no hard links", async () => {
      const { error } = await withoutLinks("EPERM");
      expect([error.code, error.message.includes("no hard links")]).to.deep.equal(["unsupported-operation", true]);
      expect(readdirSync(folder)).to.deep.equal([]);
    });

    it("gives up where its folder changes all the time, and when it is aborted", async () => {
      const { error, tries } = await withoutLinks("EEXIST");
      expect([error.code, tries > 1]).to.deep.equal(["transfer-in-use", true]);
      const acquired = ProcessLock.acquire(folder, "", "this transfer", AbortSignal.abort());
      expect((await errorOf(acquired)).name).to.equal("AbortError");
      expect(readdirSync(folder)).to.deep.equal([]);
    });
  });
});
