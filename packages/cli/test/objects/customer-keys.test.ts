import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ObjectsSetting } from "./objects-setting.js";

describe("objects that S3 has encrypted with a customer's key", () => {
  let at: ObjectsSetting;
  const key = randomBytes(32).toString("base64");
  const own = ["--sse-c", "--sse-c-key", key];
  beforeEach(async () => {
    at = await ObjectsSetting.start();
    at.configure({ instructionFileConfig: { enableInstructionFilePutObject: true } });
    for (const name of ["a", "b"]) at.write(`tree/${name}`, name);
    expect(await at.run("sync", "tree", "s3://demo/t", ...own)).to.include({ code: 0, stderr: "" });
    expect(await keys()).to.deep.equal(["t/a", "t/a.instruction", "t/b", "t/b.instruction"]);
  });
  afterEach(() => at.end());

  const keys = async (): Promise<string[]> =>
    [...(await at.run("ls", "s3://demo/", "--recursive", "--json")).stdout.matchAll(/"key":"([^"]+)"/g)].map(
      ([, name = ""]) => name,
    );

  it("go with their instruction files, by rm, mv and sync --delete", async () => {
    expect(await at.run("rm", "s3://demo/t/a", ...own)).to.include({ code: 0, stderr: "" });
    expect(await keys()).to.deep.equal(["t/b", "t/b.instruction"]);
    expect(await at.run("mv", "s3://demo/t/b", "down", ...own)).to.include({ code: 0, stderr: "" });
    expect(await keys()).to.deep.equal([]);
    await at.run("sync", "tree", "s3://demo/t", ...own);
    rmSync(join(at.folder, "tree/a"));
    expect(await at.run("sync", "tree", "s3://demo/t", "--delete", ...own)).to.deep.equal({
      code: 0,
      stdout: "delete: s3://demo/t/a\n",
      stderr: "",
    });
    const source = ["--sse-c-copy-source", "--sse-c-copy-source-key", key];
    expect(await at.run("mv", "s3://demo/t", "s3://other/t", "--recursive", ...source)).to.include({ code: 0 });
    expect(await keys()).to.deep.equal([]);
  });

  it("say what was left of them where the key is not given", async () => {
    const { code, stderr } = await at.run("rm", "s3://demo/t/a");
    expect(code).to.equal(7);
    expect(stderr).to.match(/The object is deleted, but not "t\/a\.instruction" beside it.*\(SSE-C\), name that\./);
    expect(await keys()).to.deep.equal(["t/a.instruction", "t/b", "t/b.instruction"]);
  });

  it("are never told of with a key that is wrong", async () => {
    for (const args of [
      ["--sse-c", "--sse-c-key", "c2VjcmV0 with a mistake"],
      ["--sse-c-copy-source", "--sse-c-copy-source-key", "c2VjcmV0 with a mistake"],
      ["--sse-c", "c2VjcmV0"],
      ["--sse-c-copy-source=c2VjcmV0"],
      ["--sse-c-keey=c2VjcmV0=="],
      ["--dev-server", "http://id:c2VjcmV0@127.0.0.1?x=1"],
      ["--dev-server", "id:c2VjcmV0@127.0.0.1"],
    ]) {
      for (const command of [
        ["cp", "tree/a", "s3://demo/x"],
        ["rm", "s3://demo/t/a"],
        ["ls", "s3://demo"],
      ]) {
        const { code, stdout, stderr } = await at.run(...command, ...args);
        expect({ args, code, stdout }).to.deep.equal({ args, code: 2, stdout: "" });
        expect(stderr).to.match(/^s3ec: (?:unknown option|option '--[\w-]+)/);
        expect(stderr).to.not.contain("c2VjcmV0");
      }
    }
  });
});
