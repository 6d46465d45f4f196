import { rmSync } from "node:fs";
import { join } from "node:path";
import { DeleteObjectCommand, GetObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { ObjectsSetting } from "./objects-setting.js";

const IN_FILES = { instructionFileConfig: { enableInstructionFilePutObject: true } };
const ANNOTATIONS = '{"from":"","annotations":{}}';

describe("files beside objects that stay", () => {
  let at: ObjectsSetting;
  beforeEach(async () => {
    at = await ObjectsSetting.start();
    at.configure(IN_FILES);
    for (const name of ["a", "b"]) at.write(`tree/${name}`, `content of ${name}`);
    await at.run("sync", "tree", "s3://demo/t");
  });
  afterEach(() => at.end());

  const isThere = (key: string, bucket = "demo"): Promise<boolean> =>
    at.head(key, bucket).then(
      () => true,
      () => false,
    );
  const tagOf = async (key: string, bucket = "demo"): Promise<string | undefined> => (await at.head(key, bucket)).ETag;

  it("are not uploaded over, whether the object is the same, left out or named by itself", async () => {
    at.write("tree/a.instruction", "a document");
    const before = await tagOf("t/a.instruction");
    for (const args of [
      ["sync", "tree", "s3://demo/t"],
      ["sync", "tree", "s3://demo/t", "--exclude", "a"],
      ["cp", "tree", "s3://demo/t", "--recursive", "--exclude", "*", "--include", "*.instruction"],
      ["mv", "tree", "s3://demo/t", "--recursive", "--exclude", "*", "--include", "*.instruction"],
      ["cp", "tree/a.instruction", "s3://demo/t/"],
      ["put", "tree/a.instruction", "s3://demo/t/"],
    ]) {
      const { code, stderr } = await at.run(...args);
      expect({ args, code }).to.deep.equal({ args, code: args.length > 3 || args[0] === "sync" ? 8 : 4 });
      expect(stderr).to.contain("Its key is that of the instruction file of another object, which would be lost");
      expect(await tagOf("t/a.instruction")).to.equal(before);
    }
    expect(at.read("tree/a.instruction")).to.equal("a document");
  });

  it("are not uploaded to where one may come, also of an object that is the same or cannot be compared", async () => {
    at.configure({});
    await at.run("cp", "tree", "s3://other/t", "--recursive");
    at.write("tree/a.instruction", "a document");
    at.write("tree/b.instruction", "another");
    at.server.faults.add({ operation: "HeadObject", key: "t/b", status: 403, code: "AccessDenied" });
    const { code, stdout, stderr } = await at.run("sync", "tree", "s3://other/t");
    expect({ code, stdout }).to.deep.equal({ code: 8, stdout: "" });
    expect(stderr.match(/Its key is that of the instruction file/g)).to.have.length(2);
  });

  it("are not copied over", async () => {
    at.configure({});
    at.write("document", "a document");
    await at.run("cp", "document", "s3://other/u/a.instruction");
    const before = await tagOf("t/a.instruction");
    for (const [verb = "", ...args] of [["sync"], ["cp", "--recursive"], ["mv", "--recursive"]]) {
      const { code, stderr } = await at.run(verb, "s3://other/u", "s3://demo/t", ...args);
      expect({ verb, code }).to.deep.equal({ verb, code: 8 });
      expect(stderr).to.contain("Its key is that of the instruction file of another object");
      expect(await tagOf("t/a.instruction")).to.equal(before);
    }
    expect(await isThere("u/a.instruction", "other")).to.equal(true);
    expect((await at.run("cp", "s3://demo/t/a", "back")).code).to.equal(0);
  });

  it("are not deleted, moved or copied by themselves, by rm, mv and cp of one", async () => {
    for (const args of [
      ["rm", "s3://demo/t/a.instruction"],
      ["rm", "s3://demo/t/a.instruction", "--dryrun"],
      ["mv", "s3://demo/t/a.instruction", "s3://other/x"],
      ["mv", "s3://demo/t/a.instruction", "down", "--plain", "copy"],
      ["cp", "s3://demo/t/a.instruction", "s3://other/x"],
    ]) {
      const { code, stderr } = await at.run(...args);
      expect({ args, code }).to.deep.equal({ args, code: 4 });
      expect(stderr).to.contain("moves and goes with that: name the object.");
    }
    expect(await isThere("t/a.instruction")).to.equal(true);
    expect(await isThere("x", "other")).to.equal(false);
    // What may not be looked at may be one.
    const heal = at.server.faults.add({ operation: "HeadObject", key: "t/a.instruction", status: 403 });
    expect((await at.run("rm", "s3://demo/t/a.instruction")).code).to.equal(4);
    heal();
    // Without its object it is nobody's.
    await at.plain.send(new DeleteObjectCommand({ Bucket: "demo", Key: "t/a" }));
    expect(await at.run("rm", "s3://demo/t/a.instruction")).to.include({ code: 0, stderr: "" });
    expect(await isThere("t/a.instruction")).to.equal(false);
  });

  it("are not deleted or moved by themselves, whatever their suffix is, which nobody has named", async () => {
    const { Body, Metadata = {} } = await at.plain.send(
      new GetObjectCommand({ Bucket: "demo", Key: "t/a.instruction" }),
    );
    const body = Buffer.from((await Body?.transformToByteArray()) ?? []);
    await at.server.putRawObject("demo", "t/a.partner", { body, metadata: Metadata });
    await at.putPlain("t/a.txt", "a document");
    for (const args of [
      ["rm", "s3://demo/t/a.partner"],
      ["mv", "s3://demo/t/a.partner", "down", "--plain", "copy"],
      ["mv", "s3://demo/t/a.partner", "s3://other/x", "--plain", "copy"],
    ]) {
      const { code, stderr } = await at.run(...args);
      expect({ args, code }).to.deep.equal({ args, code: 4 });
      expect(stderr).to.contain("moves and goes with that: name the object.");
    }
    expect(await isThere("t/a.partner")).to.equal(true);
    expect((await at.run("rm", "s3://demo/t/a.txt")).code).to.equal(0);
  });

  it("of a suffix that nobody named are told of where their object goes without them, and their suffix is", async () => {
    const { Body, Metadata = {} } = await at.plain.send(
      new GetObjectCommand({ Bucket: "demo", Key: "t/a.instruction" }),
    );
    const body = Buffer.from((await Body?.transformToByteArray()) ?? []);
    const put = (key: string, bucket = "demo") =>
      at.server.putRawObject(bucket, `${key}.partner`, { body, metadata: Metadata });
    await put("t/a");
    await put("t/b");
    await at.putPlain("t/a.txt", "a document");
    const told = async (...args: string[]) => {
      const { code, stderr } = await at.run(...args);
      return { code, stderr };
    };
    // Of many in one sentence, whatever each refusal says.
    const { stderr } = await at.run("sync", "s3://demo/t", "down", "--exclude", "*.txt");
    expect(stderr.match(/failed: .*\.partner/g)).to.have.length(2);
    expect(
      stderr.match(/^s3ec: What ends in "\.partner" beside an object seems to be its instruction file/gm),
    ).to.have.length(1);
    expect(stderr).to.contain("say --exclude '*.partner'");
    expect((await told("sync", "s3://demo/t", "down", "--exclude", "*.txt", "--exclude", "*.partner")).code).to.equal(
      0,
    );

    const file = "s3ec: s3://demo/t/a.partner holds a wrapped key and";
    expect(await told("cp", "s3://demo/t/a", "s3://other/a")).to.deep.equal({
      code: 0,
      stderr: `${file} was not copied: cp --suffix .partner copies it, too.\n`,
    });
    expect(await told("cp", "s3://demo/t/a", "s3://other/c", "--suffix", ".partner")).to.deep.equal({
      code: 0,
      stderr: "",
    });
    expect(await isThere("c.partner", "other")).to.equal(true);
    expect(await told("cp", "s3://demo/t/a", "down/a")).to.deep.equal({ code: 0, stderr: "" });
    expect(await told("mv", "s3://demo/t/a", "s3://other/b")).to.deep.equal({
      code: 0,
      stderr: `${file} was left: mv --suffix .partner takes it along.\n`,
    });
    expect(await isThere("t/a.partner")).to.equal(true);
    expect(await told("rm", "s3://other/b", "--quiet")).to.deep.equal({ code: 0, stderr: "" });
    expect(await told("rm", "s3://demo/t/b")).to.deep.equal({
      code: 0,
      stderr:
        "s3ec: s3://demo/t/b.partner holds a wrapped key and was left: s3ec rm deletes it now, as rm --suffix .partner would have.\n",
    });
    expect(await told("rm", "s3://demo/t/b.partner")).to.deep.equal({ code: 0, stderr: "" });
  });

  it("annotations that a call has left aside stay, and go, with their object", async () => {
    const aside = "t/a.s3ec-annotations";
    await at.putPlain(aside, ANNOTATIONS);
    await at.putPlain("t/b.s3ec-annotations", "somebody's own");
    rmSync(join(at.folder, "tree/b"));
    for (const args of [
      ["sync", "tree", "s3://demo/t", "--delete", "--dryrun"],
      ["rm", "s3://demo/t", "--recursive", "--exclude", "a", "--dryrun"],
    ]) {
      const { code, stdout, stderr } = await at.run(...args);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
      expect(stdout).to.equal("(dryrun) delete: s3://demo/t/b\n(dryrun) delete: s3://demo/t/b.s3ec-annotations\n");
    }
    for (const args of [
      ["rm", `s3://demo/${aside}`],
      ["mv", `s3://demo/${aside}`, "s3://other/x", "--plain", "copy"],
      ["mv", "s3://demo/t/a", "s3://other/x"],
      ["cp", "tree/a", `s3://demo/${aside}`],
    ]) {
      expect({ args, code: (await at.run(...args)).code }).to.deep.equal({ args, code: 4 });
    }
    expect((await at.run("sync", "tree", "s3://demo/t", "--delete")).code).to.equal(0);
    expect(await isThere(aside)).to.equal(true);
    expect((await at.run("rm", "s3://demo/t", "--recursive")).stdout).to.equal("delete: s3://demo/t/a\n");
    expect(await isThere(aside)).to.equal(false);
  });
});
