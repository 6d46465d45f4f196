import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { ObjectsSetting } from "./objects-setting.js";

describe("s3ec sync", () => {
  let at: ObjectsSetting;
  beforeEach(async () => {
    at = await ObjectsSetting.start();
    for (const name of ["a", "b", "c/d"]) at.write(`tree/${name}`, `content of ${name}`);
  });
  afterEach(() => at.end());

  const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

  it("transfers what is not there or otherwise, by plaintext size and time, and then nothing", async () => {
    expect(lines((await at.run("sync", "tree", "s3://demo/t")).stdout)).to.have.length(3);
    at.server.clearRequests();
    expect(await at.run("sync", "tree", "s3://demo/t")).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    expect([at.asked("PutObject"), at.asked("HeadObject"), at.asked("ListObjectsV2")]).to.deep.equal([0, 3, 1]);
    // Without a HEAD where the listing is trusted.
    at.server.clearRequests();
    expect((await at.run("sync", "tree", "s3://demo/t", "--trust-listing")).stdout).to.equal("");
    expect(at.asked("HeadObject")).to.equal(0);
    at.write("tree/a", "content of A, longer");
    at.write("tree/b", "CONTENT OF b", new Date(Date.now() + 60_000));
    at.write("tree/e", "new");
    expect(lines((await at.run("sync", "tree", "s3://demo/t")).stdout)).to.deep.equal([
      "upload: tree/a to s3://demo/t/a",
      "upload: tree/b to s3://demo/t/b",
      "upload: tree/e to s3://demo/t/e",
    ]);
  });

  it("gives files the times of their objects, so that a sync down and up again is none", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    expect(lines((await at.run("sync", "s3://demo/t", "copy")).stdout)).to.have.length(3);
    expect(at.read("copy/c/d")).to.equal("content of c/d");
    expect((await at.run("sync", "s3://demo/t", "copy", "--exact-timestamps")).stdout).to.equal("");
    expect((await at.run("sync", "copy", "s3://demo/t")).stdout).to.equal("");
    const old = new Date(Date.now() - 3_600_000);
    utimesSync(join(at.folder, "copy/a"), old, old);
    expect((await at.run("sync", "s3://demo/t", "copy")).stdout).to.equal("");
    expect((await at.run("sync", "s3://demo/t", "copy", "--exact-timestamps")).stdout).to.equal(
      "download: s3://demo/t/a to copy/a\n",
    );
    utimesSync(join(at.folder, "copy/a"), new Date(), new Date(Date.now() + 60_000));
    expect((await at.run("sync", "s3://demo/t", "copy", "--size-only")).stdout).to.equal("");
  });

  it("asks no object for its size that is too short, and none twice whose length tells", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    at.write("tree/a", "x".repeat(100));
    await at.putPlain("t/b", "in the clear, and longer than the file");
    at.server.clearRequests();
    const { stdout } = await at.run("sync", "tree", "s3://demo/t", "--dryrun");
    expect(lines(stdout)).to.have.length(2);
    const heads = at.server.requests.filter(({ operation }) => operation === "HeadObject");
    expect(heads.map(({ key }) => key).sort()).to.deep.equal(["t/b", "t/c/d"]);
  });

  it("goes on where S3 does not say how large one is, and deletes nothing then; what has gone meanwhile is sent", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    await at.putPlain("t/extraneous", "extraneous");
    at.write("tree/e", "new");
    const heal = at.server.faults.add({ operation: "HeadObject", key: "t/b", status: 403, code: "AccessDenied" });
    for (const dryrun of [["--dryrun"], []]) {
      const { code, stdout, stderr } = await at.run("sync", "tree", "s3://demo/t", "--delete", ...dryrun);
      expect(code).to.equal(8);
      expect(lines(stdout).map((line) => line.replace("(dryrun) ", ""))).to.deep.equal([
        "upload: tree/e to s3://demo/t/e",
      ]);
      expect(stderr).to.match(/^upload failed: tree\/b to s3:\/\/demo\/t\/b S3 /);
      expect(stderr).to.contain("s3ec: Nothing was deleted, since 1 failed: run it again.");
    }
    heal();
    at.server.faults.add({ operation: "HeadObject", key: "t/b", status: 404, code: "NotFound" });
    const gone = await at.run("sync", "tree", "s3://demo/t", "--delete");
    expect(gone).to.include({ code: 0, stderr: "" });
    expect(lines(gone.stdout)).to.deep.equal(["upload: tree/b to s3://demo/t/b", "delete: s3://demo/t/extraneous"]);
  });

  it("copies within S3, and does not again what is there", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    expect(lines((await at.run("sync", "s3://demo/t", "s3://other/t")).stdout)).to.have.length(3);
    expect((await at.run("sync", "s3://demo/t", "s3://other/t")).stdout).to.equal("");
  });

  it("deletes what only the target has, where that is asked for, and never what is left out", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    rmSync(join(at.folder, "tree/a"));
    rmSync(join(at.folder, "tree/c"), { recursive: true });
    expect((await at.run("sync", "tree", "s3://demo/t")).stdout).to.equal("");
    expect((await at.run("sync", "tree", "s3://demo/t", "--delete", "--dryrun")).stdout).to.equal(
      "(dryrun) delete: s3://demo/t/a\n(dryrun) delete: s3://demo/t/c/d\n",
    );
    expect((await at.run("sync", "tree", "s3://demo/t", "--delete", "--exclude", "c/*")).stdout).to.equal(
      "delete: s3://demo/t/a\n",
    );
    at.write("copy/c/d", "mine");
    at.write("copy/x", "mine");
    expect((await at.run("sync", "s3://demo/t", "copy", "--delete")).stdout).to.contain("delete: copy/x\n");
    expect(at.files("copy")).to.deep.equal(["b", "c/d"]);
  });

  it("deletes nothing behind a link to a folder, wherever that leads", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    await at.run("sync", "s3://demo/t", "down");
    at.write("outside/mine", "mine");
    at.write("outside/file", "mine, too");
    for (const [to, link] of [
      ["outside", "down/link"],
      ["down/c", "down/inner"],
      ["outside/file", "down/x"],
    ] as const) {
      symlinkSync(join(at.folder, to), join(at.folder, link));
    }
    const { code, stdout, stderr } = await at.run("sync", "s3://demo/t", "down", "--delete");
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: "delete: down/x\n" });
    expect(lines(stderr)).to.deep.equal(
      ["inner/d", "link/file", "link/mine"].map(
        (name) => `warning: Skipping down/${name}. It is behind a link to a folder: delete it there.`,
      ),
    );
    expect(at.files("outside")).to.deep.equal(["file", "mine"]);
    expect(at.files("down")).to.deep.equal(["a", "b", "c/d"]);
    expect(existsSync(join(at.folder, "down/x"))).to.equal(false);
    // Nor behind one that came in the place of a folder meanwhile.
    at.write("down/y/mine", "extraneous");
    at.write("down/v/extraneous", "extraneous");
    at.write("tree/z", "new");
    await at.run("cp", "tree/z", "s3://demo/t/z");
    const held = at.server.faults.pause({ operation: "GetObject", key: "t/z", at: "request" });
    const syncing = at.run("sync", "s3://demo/t", "./down/", "--delete");
    await held.reached;
    renameSync(join(at.folder, "down/y"), join(at.folder, "moved"));
    symlinkSync(join(at.folder, "moved"), join(at.folder, "down/y"));
    held.release();
    const meanwhile = await syncing;
    expect(meanwhile.code).to.equal(8);
    expect(meanwhile.stderr).to.match(
      /^delete failed: down\/y\/mine It is behind a link to a folder: delete it there/m,
    );
    expect(meanwhile.stdout).to.contain("delete: down/v/extraneous\n");
    expect(at.files("moved")).to.deep.equal(["mine"]);
  });

  it("deletes nothing where one could not be transferred, or read", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    rmSync(join(at.folder, "tree/a"));
    at.write("tree/e", "new");
    const heal = at.server.faults.add({ operation: "PutObject", key: "t/e", status: 403, code: "AccessDenied" });
    const { code, stderr } = await at.run("sync", "tree", "s3://demo/t", "--delete");
    expect(code).to.equal(8);
    expect(stderr).to.contain("s3ec: Nothing was deleted, since 1 failed: run it again.");
    expect((await at.head("t/a")).ContentLength).to.equal(28);
    heal();
    mkdirSync(join(at.folder, "tree/c/deeper"));
    // To whoever may read all, nothing is unreadable but what leads nowhere.
    symlinkSync(join(at.folder, "tree"), join(at.folder, "tree/circle"));
    const unread = await at.run("sync", "tree", "s3://demo/t", "--delete");
    expect(unread.code).to.equal(8);
    expect(unread.stderr).to.contain("warning: Skipping tree/circle. It is a link to a folder that it is in.");
    expect(unread.stderr).to.contain("Nothing was deleted, since 1 could not be read");
    expect((await at.head("t/a")).ContentLength).to.equal(28);
  });

  it("deletes nothing on the word of a listing that failed", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    at.write("copy/x", "mine");
    at.server.faults.add({ operation: "ListObjectsV2", status: 403, code: "AccessDenied" });
    expect((await at.run("sync", "s3://demo/t", "copy", "--delete")).code).to.equal(7);
    expect(at.read("copy/x")).to.equal("mine");
  });

  it("deletes nothing on the word of a listing that ended half way", async () => {
    for (let number = 0; number <= 1000; number += 1) {
      await at.server.putRawObject("demo", `t/${String(number).padStart(4, "0")}`, { body: Buffer.alloc(16) });
    }
    at.write("copy/0", "before all of them");
    const args = ["sync", "s3://demo/t", "copy", "--delete", "--dryrun"];
    const held = at.server.faults.pause({ operation: "ListObjectsV2", at: "answer" });
    const syncing = at.run(...args);
    await held.reached;
    at.server.faults.add({ operation: "ListObjectsV2", status: 403, code: "AccessDenied" });
    held.release();
    const { code, stdout } = await syncing;
    expect(code).to.equal(7);
    expect(stdout).to.contain("(dryrun) download: s3://demo/t/0000 to copy/0000\n").and.not.contain("delete");
    at.server.faults.clear();
    expect((await at.run(...args)).stdout).to.contain("(dryrun) delete: copy/0\n");
  });

  it("deletes nothing on the word of a place that does not exist", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    const missing = await at.run("sync", "s3://demo/typo", "tree", "--delete");
    expect(missing.code).to.equal(2);
    expect(missing.stderr).to.match(/There is nothing at s3:\/\/demo\/typo\/, so that nothing is deleted/);
    expect(at.files("tree")).to.have.length(3);
    expect((await at.run("sync", "typo", "s3://demo/t", "--delete")).code).to.equal(7);
    expect((await at.run("sync", "s3://nobucket/t", "tree", "--delete")).code).to.equal(7);
    expect((await at.run("sync", "s3://demo/typo", "s3://demo/t", "--delete")).code).to.equal(2);
    expect((await at.head("t/a")).ContentLength).to.equal(28);
    // An empty folder is there, and says that nothing should be.
    mkdirSync(join(at.folder, "empty"));
    expect(lines((await at.run("sync", "empty", "s3://demo/t", "--delete")).stdout)).to.have.length(3);
  });

  it("takes instruction files along, and never deletes one whose object stays", async () => {
    at.configure({ instructionFileConfig: { enableInstructionFilePutObject: true } });
    await at.run("sync", "tree", "s3://demo/t");
    expect((await at.head("t/a.instruction")).ContentLength).to.be.greaterThan(0);
    expect(await at.run("sync", "tree", "s3://demo/t", "--delete")).to.include({ code: 0, stdout: "" });
    expect((await at.head("t/a.instruction")).ContentLength).to.be.greaterThan(0);
    await at.run("sync", "s3://demo/t", "s3://other/t");
    expect((await at.head("t/c/d.instruction", "other")).ContentLength).to.be.greaterThan(0);
    expect((await at.run("sync", "s3://other/t", "copy")).code).to.equal(0);
    expect(at.files("copy")).to.deep.equal(["a", "b", "c/d"]);
    // With its object it goes.
    rmSync(join(at.folder, "tree/a"));
    expect((await at.run("sync", "tree", "s3://demo/t", "--delete")).stdout).to.equal("delete: s3://demo/t/a\n");
    expect(await at.head("t/a.instruction").catch((error: Error) => error.name)).to.equal("NotFound");
  });

  it("leaves what an object that stays may need, whatever it is called, and deletes somebody's document", async () => {
    at.configure({ instructionFileConfig: { enableInstructionFilePutObject: true, suffix: ".partner" } });
    await at.run("sync", "tree", "s3://demo/t");
    at.configure({});
    await at.putPlain("t/a.escrow", "somebody's document");
    const { stdout, stderr } = await at.run("sync", "tree", "s3://demo/t", "--delete", "--size-only");
    expect(stdout).to.equal("delete: s3://demo/t/a.escrow\n");
    expect(stderr).to.contain(
      "warning: Skipping s3://demo/t/a.partner. It may be an instruction file of an object that stays.",
    );
    expect((await at.head("t/a.partner")).ContentLength).to.be.greaterThan(0);
    // What may not be read may be one, too.
    await at.putPlain("t/b.secret", "who knows");
    at.server.faults.add({ operation: "GetObject", key: "t/b.secret", status: 403, code: "AccessDenied" });
    at.server.faults.add({ operation: "HeadObject", key: "t/b.secret", status: 403, code: "AccessDenied" });
    expect((await at.run("sync", "tree", "s3://demo/t", "--delete", "--size-only")).stdout).to.equal("");
  });

  it("leaves what somebody stored since it was listed", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    await at.putPlain("t/x", "extraneous");
    const held = at.server.faults.pause({ operation: "DeleteObject", key: "t/x", at: "request" });
    const syncing = at.run("sync", "tree", "s3://demo/t", "--delete");
    await held.reached;
    await at.plain.send(new PutObjectCommand({ Bucket: "demo", Key: "t/x", Body: "newer" }));
    held.release();
    expect((await syncing).code).to.equal(8);
    expect((await at.head("t/x")).ContentLength).to.equal(5);
  });

  it("transfers in place of a plain object of the same size, and refuses to get one", async () => {
    await at.putPlain("t/a", "content of a");
    expect((await at.run("sync", "tree", "s3://demo/t")).stdout).to.contain("upload: tree/a to s3://demo/t/a");
    await at.putPlain("t/b", "content of b");
    at.write("copy/b", "content of b");
    expect((await at.run("sync", "s3://demo/t", "copy")).code).to.equal(8);
    expect((await at.run("sync", "s3://demo/t", "copy", "--plain", "copy")).stdout).to.equal("");
    expect((await at.run("sync", "s3://demo/t", "copy", "--plain", "skip")).code).to.equal(0);
  });

  it("makes the folder that it syncs to, and reads none that is a file", async () => {
    await at.run("sync", "tree", "s3://demo/t");
    expect((await at.run("sync", "s3://demo/t", "new/deep", "--dryrun")).code).to.equal(0);
    expect(existsSync(join(at.folder, "new"))).to.equal(false);
    expect((await at.run("sync", "tree/a", "s3://demo/t")).code).to.equal(2);
  });

  it("within S3, looks at what is plain where the sizes are alike, and encrypts it once", async () => {
    await at.run("cp", "tree/a", "s3://demo/t/a");
    await at.putPlain("t/p", "in the clear");
    await at.putPlain("u/p", "in the clear", "other");
    await at.run("cp", "s3://demo/t/a", "s3://other/u/a");
    const sync = (...args: string[]): ReturnType<typeof at.run> =>
      at.run("sync", "s3://demo/t", "s3://other/u", ...args);
    const refused = await sync();
    expect(refused.code).to.equal(8);
    expect(refused.stderr).to.contain("copy failed: s3://demo/t/p to s3://other/u/p s3://demo/t/p was not written by");
    expect(await sync("--plain", "copy")).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    expect((await sync("--plain", "skip")).stderr).to.contain("Skipping s3://demo/t/p. It is not encrypted.");
    expect((await sync("--trust-listing")).code).to.equal(0);
    expect((await sync("--plain", "encrypt")).stdout).to.equal(
      "copy: s3://demo/t/p to s3://other/u/p (encrypted now)\n",
    );
    expect((await at.head("u/p", "other")).Metadata).to.have.property("x-amz-3");
    for (let time = 0; time < 2; time += 1) {
      expect(await sync("--plain", "encrypt")).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    }
    // Of the same size as what is encrypted, and not that.
    await at.putPlain("u/p", "x".repeat(28), "other");
    expect((await sync("--plain", "encrypt")).stdout).to.contain("(encrypted now)");
    at.server.faults.add({ operation: "HeadObject", key: "t/a", status: 403, code: "AccessDenied" });
    const unknown = await sync("--plain", "encrypt");
    expect(unknown.code).to.equal(8);
    expect(unknown.stderr).to.match(/^copy failed: s3:\/\/demo\/t\/a to s3:\/\/other\/u\/a S3 /);
  });
});
