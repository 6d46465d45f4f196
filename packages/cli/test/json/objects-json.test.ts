import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { Command } from "commander";
import { Interrupts } from "../../dist/interruption.js";
import { COMMAND_OUTPUTS } from "../../dist/json/command-schemas.js";
import { program } from "../../dist/program.js";
import { inProcess } from "../objects/in-process.js";
import { ObjectsSetting } from "../objects/objects-setting.js";
import { PrintedJson } from "./printed-json.js";

const WHOLE = ["/error", "/error/code", "/error/problem", "/error/exitCode"];

describe("what commands for files and objects print with --json", () => {
  let at: ObjectsSetting;
  let printed: PrintedJson;
  before(async () => {
    at = await ObjectsSetting.start(["demo", "other"]);
    printed = new PrintedJson(at.folder);
    await at.plain.send(new CreateBucketCommand({ Bucket: "kept" }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await at.plain.send(new PutBucketVersioningCommand({ Bucket: "kept", VersioningConfiguration }));
  });
  after(() => at.end());

  it("fits their schemas: cp, mv, sync, rm and ls", async () => {
    for (const name of ["a", "b", "c/d"]) at.write(`tree/${name}`, name);
    await at.putPlain("t/plain", "in the clear");
    await at.putPlain("t/x", "extraneous");
    at.server.faults.add({ operation: "PutObject", key: "t/b", status: 403, code: "AccessDenied", times: 1 });
    const states = new Set<unknown>();
    for (const args of [
      ["cp", "tree", "s3://demo/t", "--recursive"],
      ["cp", "tree/a", "s3://kept/a"],
      ["sync", "tree", "s3://demo/t", "--dryrun"],
      ["sync", "tree", "s3://demo/t", "--delete", "--exclude", "plain"],
      ["sync", "tree", "s3://nowhere/t"],
      ["mv", "s3://demo/t", "s3://other/t", "--recursive", "--plain", "skip"],
      ["cp", "s3://demo/t", "s3://other/u", "--recursive", "--plain", "encrypt"],
      ["cp", "s3://other/t", "down", "--recursive"],
      ["cp", "s3://other/gone", "down"],
      ["ls", "s3://other/t/"],
      ["ls", "s3://other/t", "--recursive", "--long", "--summarize"],
      ["ls"],
      ["rm", "s3://other/t", "--recursive"],
      ["rm", "s3://other/t"],
    ]) {
      const lines = await printed.of(args[0] ?? "", await at.run(...args, "--json"));
      for (const { state } of lines) states.add(state);
    }
    expect(states).to.include.all.keys("done", "failed", "skipped", "dryrun");
    expect(printed.unseen("cp")).to.have.members([...WHOLE, "/reason", "/error/left"]);
    expect(printed.unseen("ls")).to.have.members([...WHOLE, "/error/left"]);
  });

  it("fits those of put, get and cat, of which the content alone is on standard output", async () => {
    at.write("report", "a report");
    const put = await at.run("put", "report", "s3://kept/report", "--json");
    expect((await printed.of("put", put))[0]).to.deep.include({
      operation: "upload",
      from: "report",
      to: "s3://kept/report",
      state: "done",
      bytes: 8,
    });
    await printed.of("put", await at.run("put", "report", "s3://nowhere/report", "--json"));
    at.write("large", Buffer.alloc(12 * 1024 ** 2));
    at.server.faults.add({ operation: "UploadPart", status: 403, code: "AccessDenied", times: 9 });
    await printed.of("put", await at.run("put", "large", "s3://demo/large", "--resume", "--json"));
    at.server.faults.clear();
    const discarded = await printed.of("put", await at.run("put", "large", "s3://demo/large", "--discard", "--json"));
    expect(discarded).to.deep.equal([
      { operation: "discard", from: "large", state: "done", removed: "large.s3ec-upload" },
    ]);
    const got = await printed.of("get", await at.run("get", "s3://kept/report", "copy", "--json"));
    expect(got[0]).to.include({ operation: "download", from: "s3://kept/report", to: "copy", bytes: 8 });
    await printed.of("get", await at.run("get", "s3://kept/gone", "copy", "--json"));
    const streamed = await at.run("get", "s3://kept/report", "-", "--json");
    expect(streamed.stdout).to.equal("a report");
    await printed.check("get", streamed.stderr);
    const cat = await at.run("cat", "s3://kept/report", "s3://kept/gone", "--json");
    expect([cat.stdout, cat.code]).to.deep.equal(["a report", 7]);
    const [sentence = "", line = ""] = cat.stderr.trimEnd().split("\n");
    expect(sentence).to.equal("s3ec: s3://kept/gone: There is no such object.");
    expect(await printed.check("cat", line)).to.deep.equal([
      { error: { code: "NoSuchKey", problem: sentence.slice("s3ec: ".length), exitCode: 7 } },
    ]);
    const copied = await at.run("cp", "s3://kept/report", "-", "--json");
    expect(copied.stdout).to.equal("a report");
    const lines = copied.stderr.trimEnd().split("\n");
    expect(lines).to.have.lengthOf(2);
    await printed.check("cp", copied.stderr);
    for (const command of ["put", "get"]) expect(printed.unseen(command), command).to.deep.equal(["/error/left"]);
  });

  it("says why a command failed as a whole, in a last line, beside the sentence", async () => {
    for (const [args, code, exitCode] of [
      [["ls", "--bogus"], "invalid-argument", 2],
      [["ls", "not-s3"], "invalid-argument", 2],
      [["lss"], "invalid-argument", 2],
      [["verify", "s3://demo/none/", "--recursive"], "nothing-there", 7],
      [["audit", "s3://nowhere", "--recursive"], "NoSuchBucket", 7],
      [["inspect", "s3://demo/t/plain"], "not-encrypted", 4],
      [["get", "s3://demo/t/plain", "out"], "not-encrypted", 4],
      [["put", "none", "s3://kept/none"], "ENOENT", 7],
      [["get", "s3://kept/report", "out", "--config", "none.json"], "invalid-configuration", 3],
      [["audit", "s3://demo", "--recursive", "--json", "--csv"], "invalid-argument", 2],
    ] as const) {
      const { code: exited, stdout, stderr } = await at.run(...args, "--json");
      const said = args.join(" ");
      expect(exited, said).to.equal(exitCode);
      const command = args[0] === "lss" ? "ls" : args[0];
      const { error } = (await printed.check(command, stdout)).at(-1) as { error: { code: string; problem: string } };
      expect(error, said).to.deep.include({ code, exitCode });
      expect(stderr, said).to.contain(error.problem.split(/[.(]/)[0]?.trim());
    }
    // Behind --, it is a name.
    expect((await inProcess(["ls", "--", "--json"], at.folder)).stdout).to.equal("");
  });

  it("says so on standard error where standard output is to have the content, whatever is wrong", async () => {
    const object = "s3://kept/report";
    at.write("sealed", "x");
    const wrong = ["--config", "none.json"];
    for (const args of [
      ["get", object, "-", ...wrong],
      ["get", "--config", "none.json", object, "/dev/stdout"],
      ["get", "--bogus", object, "-"],
      ["get", object, "-", "--bogus=-"],
      ["get", "not-s3", "-"],
      ["cp", object, "-", ...wrong],
      ["cp", object, "-", "--bogus"],
      ["mv", object, "-", "--bogus"],
      ["cat", object, ...wrong],
      ["cat", object, "--bogus"],
      ["cat"],
      ["decrypt", "sealed", "--bogus"],
      ["decrypt", "sealed", ...wrong],
      ["decrypt", "sealed", "--output=-", ...wrong],
      ["encrypt", "sealed", "-o", "-", "--head", "head", ...wrong],
      ["encrypt", "sealed", "-o-", "--head", "head", "--bogus"],
      ["encrypt", "sealed", "--output", "-"],
    ]) {
      const { code, stdout, stderr } = await at.run(...args, "--json");
      const said = args.join(" ");
      expect([stdout, code === 0], said).to.deep.equal(["", false]);
      const json = stderr.split("\n").filter((line) => line.startsWith("{"));
      const [{ error } = {}] = await printed.check(args[0] ?? "", json.join("\n"));
      expect(error, said).to.have.property("exitCode", code);
    }
    // None of these has content there.
    for (const args of [
      ["get", object, "copy", "--bogus"],
      ["get", object, "copy", "--config", "-"],
      ["cp", "-", object, "--bogus"],
      ["decrypt", "sealed", "-o", "out", "--bogus"],
      ["encrypt", "-", "-o", "out", "--bogus"],
      ["verify", "s3://kept", "--keys", "-", "--bogus"],
    ]) {
      const { stdout } = await at.run(...args, "--json");
      const [{ error } = {}] = await printed.check(args[0] ?? "", stdout);
      expect(error, args.join(" ")).to.have.property("code");
    }
  });

  it("is documented for every command that has --json, and for no other", async () => {
    using interrupts = new Interrupts();
    const walk = (command: Command, path: string): string[] =>
      command.commands.flatMap((each) => {
        const name = `${path} ${each.name()}`.trim();
        if (each.commands.length > 0) return walk(each, name);
        return each.options.some(({ long }) => long === "--json") ? [name] : [];
      });
    expect(Object.keys(COMMAND_OUTPUTS)).to.have.members(
      walk(
        program(interrupts, () => {}),
        "",
      ),
    );
    const all = JSON.parse((await inProcess(["schema"], at.folder)).stdout);
    expect(Object.keys(all.$defs)).to.have.members(Object.keys(COMMAND_OUTPUTS));
    const unknown = await inProcess(["schema", "recipients"], at.folder);
    expect([unknown.code, unknown.stderr]).to.deep.equal([
      2,
      's3ec: No command "recipients" prints JSON with --json; did you mean recipients add or recipients remove or recipients list? s3ec schema has all.\n',
    ]);
  });
});
