import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { DeleteObjectCommand, GetObjectTaggingCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { FilesBeside } from "../../dist/objects/files-beside.js";
import { objectsBelow } from "../../dist/objects/listed-objects.js";
import { ObjectsSetting } from "./objects-setting.js";

describe("s3ec cp and mv", () => {
  let at: ObjectsSetting;
  beforeEach(async () => {
    at = await ObjectsSetting.start();
  });
  afterEach(() => at.end());

  it("go up and down, and print what aws s3 prints", async () => {
    at.write("a.txt", "hello");
    expect(await at.run("cp", "a.txt", "s3://demo/x/")).to.deep.equal({
      code: 0,
      stdout: "upload: ./a.txt to s3://demo/x/a.txt\n",
      stderr: "",
    });
    const head = await at.head("x/a.txt");
    expect(head.ContentType).to.equal("text/plain");
    expect(head.ContentLength).to.equal(21);
    expect(await at.run("cp", "s3://demo/x/a.txt", "deep/er/b.txt")).to.deep.equal({
      code: 0,
      stdout: "download: s3://demo/x/a.txt to deep/er/b.txt\n",
      stderr: "",
    });
    expect(at.read("deep/er/b.txt")).to.equal("hello");
    // As old as the object, as aws makes it.
    expect(at.modified("deep/er/b.txt")).to.equal(head.LastModified?.getTime());
    expect((await at.run("cp", "s3://demo/x/a.txt", "deep")).stdout).to.contain("to deep/a.txt");
    expect((await at.run("cp", "s3://demo/x/a.txt", "s3://other/")).stdout).to.equal(
      "copy: s3://demo/x/a.txt to s3://other/a.txt\n",
    );
    expect((await at.run("cp", "s3://other/a.txt", "c.txt")).code).to.equal(0);
    expect(at.read("c.txt")).to.equal("hello");
  });

  it("say of an object what they are told", async () => {
    at.write("a.bin", "hello");
    const { code, stderr } = await at.run(
      ...["cp", "a.bin", "s3://demo/a", "--metadata", "color=red,size=L", "--content-type", "text/x-own"],
      ...["--cache-control", "no-store", "--content-disposition", "inline", "--content-encoding", "br"],
      ...["--content-language", "de", "--expires", "2030-01-02T03:04:05Z", "--storage-class", "STANDARD_IA"],
      ...["--website-redirect", "/elsewhere", "--acl", "private", "--sse", "--tags", "team=a b", "--request-payer"],
    );
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    const head = await at.head("a");
    expect(head.Metadata).to.include({ color: "red", size: "L" });
    expect(head).to.include({
      ContentType: "text/x-own",
      CacheControl: "no-store",
      ContentDisposition: "inline",
      ContentEncoding: "br",
      ContentLanguage: "de",
      StorageClass: "STANDARD_IA",
      WebsiteRedirectLocation: "/elsewhere",
      ServerSideEncryption: "AES256",
    });
    expect(head.Expires?.toISOString()).to.equal("2030-01-02T03:04:05.000Z");
    const { TagSet } = await at.plain.send(new GetObjectTaggingCommand({ Bucket: "demo", Key: "a" }));
    expect(TagSet).to.deep.equal([{ Key: "team", Value: "a b" }]);
    // A copy has all of it, or what it is told, and stays readable.
    expect((await at.run("cp", "s3://demo/a", "s3://demo/b")).code).to.equal(0);
    expect((await at.head("b")).Metadata).to.include({ color: "red" });
    expect((await at.run("cp", "s3://demo/a", "s3://demo/c", "--metadata", "color=blue")).code).to.equal(0);
    expect((await at.head("c")).Metadata)
      .to.include({ color: "blue" })
      .and.not.have.property("size");
    expect((await at.run("cp", "s3://demo/c", "c")).code).to.equal(0);
    expect(at.read("c")).to.equal("hello");
  });

  it("take everything below a folder, but for what is left out, in S3's order", async () => {
    for (const name of ["a", "a-b/x.txt", "b/c.txt", "b/d.bin", "b/with space\n🦆.txt"]) at.write(`tree/${name}`, name);
    const up = await at.run("cp", "tree", "s3://demo/t", "--recursive", "--exclude", "*", "--include", "*.txt");
    expect(up).to.deep.equal({
      code: 0,
      stdout: [
        "upload: tree/a-b/x.txt to s3://demo/t/a-b/x.txt",
        "upload: tree/b/c.txt to s3://demo/t/b/c.txt",
        "upload: tree/b/with space\\u000a🦆.txt to s3://demo/t/b/with space\\u000a🦆.txt",
        "",
      ].join("\n"),
      stderr: "",
    });
    expect((await at.run("cp", "s3://demo/t", "down", "--recursive", "--exclude", "a-b/*")).code).to.equal(0);
    expect(at.files("down")).to.deep.equal(["b/c.txt", "b/with space\n🦆.txt"]);
    expect((await at.run("cp", "s3://demo/t/", "s3://other/u/", "--recursive")).stdout).to.contain(
      "copy: s3://demo/t/a-b/x.txt to s3://other/u/a-b/x.txt\n",
    );
  });

  it("say with --dryrun what they would do, and do nothing", async () => {
    at.write("tree/a", "a");
    const { stdout } = await at.run("cp", "tree", "s3://demo/", "--recursive", "--dryrun");
    expect(stdout).to.equal("(dryrun) upload: tree/a to s3://demo/a\n");
    expect((await at.run("mv", "tree/a", "s3://demo/", "--dryrun")).stdout).to.contain("(dryrun) move: ");
    expect((await at.run("mv", "tree/a", "s3://demo/", "--dry-run")).stdout).to.contain("(dryrun) move: ");
    expect(at.asked("PutObject")).to.equal(0);
    expect(at.read("tree/a")).to.equal("a");
  });

  it("say with --dryrun the totals that they would come to, and that nothing is there", async () => {
    at.write("tree/a", "four");
    at.write("tree/b", "fifteen");
    await at.run("cp", "tree", "s3://demo/t", "--recursive");
    const totals = async (...args: string[]) => {
      const { code, stdout } = await at.run(...args, "--json");
      return { code, ...JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "").totals };
    };
    for (const args of [
      ["cp", "tree", "s3://demo/u", "--recursive"],
      ["cp", "tree/a", "s3://demo/u/"],
      ["sync", "s3://demo/t", "down"],
      ["cp", "s3://demo/t/a", "down/"],
      ["cp", "s3://demo/t", "s3://other/t", "--recursive"],
      ["cp", "s3://demo/t/a", "s3://other/t/"],
      ["rm", "s3://other/t", "--recursive"],
    ]) {
      const dry = await totals(...args, "--dryrun");
      expect({ args, ...dry }).to.deep.equal({ args, ...(await totals(...args)) });
    }
    expect(await totals("cp", "s3://demo/none", "down/", "--dryrun")).to.include({ code: 7, done: 0, failed: 1 });
  });

  it("go on where one fails, say how many, and exit with 8; one alone with its own code", async () => {
    at.write("tree/a", "a");
    at.write("tree/b", "b");
    at.server.faults.add({ operation: "PutObject", key: "a", status: 403, code: "AccessDenied" });
    const { code, stdout, stderr } = await at.run("cp", "tree", "s3://demo/", "--recursive");
    expect(code).to.equal(8);
    expect(stdout).to.equal("upload: tree/b to s3://demo/b\n");
    expect(stderr).to.match(
      /^upload failed: tree\/a to s3:\/\/demo\/a S3 refused \(AccessDenied\).*\ns3ec: 1 of 2 failed\.\n$/,
    );
    const one = await at.run("cp", "tree/a", "s3://demo/", "--verbose");
    expect(one.code).to.equal(7);
    expect(one.stderr).to.match(/^upload failed: .*\n {2}error: AccessDenied .*HTTP 403, request /);
  });

  it("go on where only one names what cannot be", async () => {
    for (const name of ["a", "b", "c"]) at.write(`tree/${name}`, name);
    await at.run("cp", "tree", "s3://demo/t", "--recursive");
    mkdirSync(join(at.folder, "down/a"), { recursive: true });
    const { code, stderr } = await at.run("cp", "s3://demo/t", "down", "--recursive");
    expect(code).to.equal(8);
    expect(stderr).to.match(
      /^download failed: s3:\/\/demo\/t\/a to down\/a down\/a is a folder: .*\ns3ec: 1 of 3 failed\.\n$/,
    );
    expect(at.files("down")).to.deep.equal(["b", "c"]);
  });

  it("leave with --no-overwrite what is there", async () => {
    at.write("a", "new");
    await at.putPlain("a", "old");
    expect(await at.run("cp", "a", "s3://demo/a", "--no-overwrite")).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    expect((await at.head("a")).ContentLength).to.equal(3);
    expect((await at.run("cp", "a", "s3://demo/b", "--no-overwrite")).stdout).to.contain("upload: ");
    expect((await at.run("cp", "s3://demo/b", "s3://demo/a", "--no-overwrite")).stdout).to.equal("");
    expect((await at.head("a")).ContentLength).to.equal(3);
    at.write("c", "mine");
    expect((await at.run("cp", "s3://demo/b", "c", "--no-overwrite")).code).to.equal(0);
    expect(at.read("c")).to.equal("mine");
  });

  it("refuse plain objects, and copy, skip or encrypt them by name, with a count", async () => {
    at.write("a", "secret");
    await at.run("cp", "a", "s3://demo/t/a");
    await at.putPlain("t/plain", "in the clear");
    const refused = await at.run("cp", "s3://demo/t", "down", "--recursive");
    expect(refused.code).to.equal(8);
    expect(refused.stderr).to.contain("download failed: s3://demo/t/plain to down/plain The object was not written by");
    expect(at.files("down")).to.deep.equal(["a"]);
    const copied = await at.run("cp", "s3://demo/t", "down", "--recursive", "--plain", "copy");
    expect(copied.code).to.equal(0);
    expect(copied.stdout).to.contain("download: s3://demo/t/plain to down/plain (not encrypted)\n");
    expect(copied.stderr).to.equal("s3ec: 1 object was not encrypted.\n");
    expect(at.read("down/plain")).to.equal("in the clear");
    const skipped = await at.run("cp", "s3://demo/t", "s3://other/t", "--recursive", "--plain", "skip");
    expect(skipped).to.include({ code: 0, stdout: "copy: s3://demo/t/a to s3://other/t/a\n" });
    expect((await at.run("cp", "s3://demo/t", "s3://other/u", "--recursive")).code).to.equal(8);
    const encrypted = await at.run("cp", "s3://demo/t", "s3://other/v", "--recursive", "--plain", "encrypt");
    expect(encrypted.code).to.equal(0);
    const head = await at.head("v/plain", "other");
    expect(head).to.include({ ContentLength: 28, ContentType: "text/plain" });
    expect(head.Metadata).to.have.property("x-amz-3");
    expect((await at.run("cp", "s3://demo/t/plain", "x", "--plain", "encrypt")).code).to.equal(2);
    expect((await at.run("cp", "a", "s3://demo/x", "--plain", "copy")).code).to.equal(2);
  });

  it("write a plain object as any other: into the file that a link leads to, readable by whom it was", async () => {
    await at.putPlain("p", "in the clear");
    at.write("real/p", "before");
    chmodSync(join(at.folder, "real/p"), 0o600);
    symlinkSync("real/p", join(at.folder, "p"));
    expect((await at.run("cp", "s3://demo/p", "p", "--plain", "copy")).code).to.equal(0);
    expect(at.read("real/p")).to.equal("in the clear");
    expect(statSync(join(at.folder, "real/p")).mode & 0o777).to.equal(0o600);
    expect(lstatSync(join(at.folder, "p")).isSymbolicLink()).to.equal(true);
    await at.putPlain("long", "x".repeat(3_000_000));
    at.server.faults.add({ operation: "GetObject", cutAfterBytes: 2_000_000 });
    expect((await at.run("cp", "s3://demo/long", "real/p", "--plain", "copy")).code).to.equal(7);
    expect(at.read("real/p")).to.equal("in the clear");
    expect(readdirSync(join(at.folder, "real"))).to.deep.equal(["p"]);
  });

  it("never leave the target folder, whatever a key says", async () => {
    at.write("a", "secret");
    mkdirSync(join(at.folder, "outside"));
    mkdirSync(join(at.folder, "in/to"), { recursive: true });
    symlinkSync(join(at.folder, "outside"), join(at.folder, "in/to/link"));
    const keys = ["t/../../x", "t/../x", "t/./x", "t//x", "t/link/x", "t//etc/x", "t/fine/x", "t/C:\\x"];
    for (const key of keys) expect((await at.run("cp", "a", `s3://demo/${key}`)).code, key).to.equal(0);
    const { code, stderr } = await at.run("cp", "s3://demo/t", "in/to", "--recursive");
    expect(code).to.equal(8);
    expect(stderr).to.contain(`s3ec: 6 of ${keys.length} failed.`);
    expect(at.files("in")).to.deep.equal(["to/C:\\x", "to/fine/x"]);
    expect(at.files("outside")).to.deep.equal([]);
    expect(existsSync(join(at.folder, "x"))).to.equal(false);
    // By itself, one of them has a name that its reader chose.
    expect((await at.run("cp", "s3://demo/t/../../x", "fine")).code).to.equal(0);
    expect((await at.run("cp", "s3://demo/t/..", "in")).code).to.not.equal(0);
  });

  it("move: what was read goes, if it is still that, with the files beside it", async () => {
    at.configure({ instructionFileConfig: { enableInstructionFilePutObject: true } });
    at.write("a", "secret");
    expect((await at.run("mv", "a", "s3://demo/t/a")).stdout).to.equal("move: ./a to s3://demo/t/a\n");
    expect(existsSync(join(at.folder, "a"))).to.equal(false);
    expect((await at.run("mv", "s3://demo/t", "s3://other/u", "--recursive")).stdout).to.equal(
      "move: s3://demo/t/a to s3://other/u/a\n",
    );
    expect((await at.run("ls", "s3://demo", "--recursive")).stdout).to.equal("");
    expect((await at.run("ls", "s3://other", "--recursive")).stdout).to.match(/ u\/a\n.* u\/a\.instruction\n$/);
    expect((await at.run("mv", "s3://other/u/a", "b")).code).to.equal(0);
    expect(at.read("b")).to.equal("secret");
    expect((await at.run("ls", "s3://other", "--recursive")).stdout).to.equal("");
  });

  it("move: what is no file, and what the system has opened, is neither sent nor removed", async () => {
    at.write("a", "secret");
    execFileSync("mkfifo", [join(at.folder, "pipe")]);
    symlinkSync("/dev/stdin", join(at.folder, "link"));
    for (const source of ["/dev/stdin", "/dev/fd/0", "link", "pipe", "/dev/null"]) {
      const { code, stderr } = await at.run("mv", source, "s3://demo/k");
      expect({ code, source }).to.deep.equal({ code: 2, source });
      expect(stderr).to.contain("is no file that could be moved: copy it with cp.");
      expect(lstatSync(resolve(at.folder, source)).isFile(), source).to.equal(false);
    }
    expect(at.asked("PutObject")).to.equal(0);
    // Nor is anything moved to where it would not stay.
    await at.run("cp", "a", "s3://demo/a");
    expect((await at.run("mv", "s3://demo/a", "/dev/null")).code).to.equal(2);
    expect((await at.head("a")).ContentLength).to.equal(22);
  });

  for (const gone of ["and their files have gone", "have gone, and their files are going"]) {
    it(`move: files are none by themselves whose objects ${gone} since they were listed`, async () => {
      at.configure({ instructionFileConfig: { enableInstructionFilePutObject: true } });
      const names = Array.from({ length: 30 }, (_, number) => String(number + 10));
      for (const name of names) at.write(`tree/${name}`, name);
      await at.run("cp", "tree", "s3://demo/t", "--recursive");
      const abortSignal = new AbortController().signal;
      const beside = new FilesBeside(at.plain, "demo", { suffixes: [], get: {}, abortSignal });
      const found: string[] = [];
      const listing = objectsBelow(at.plain, { Bucket: "demo", Key: "t/" }, { abortSignal });
      for await (const { Key, name } of beside.without(listing)) {
        found.push(name);
        const files = gone.startsWith("and") ? [`${Key}.instruction`] : [];
        for (const each of [Key, ...files]) {
          await at.plain.send(new DeleteObjectCommand({ Bucket: "demo", Key: each }));
        }
      }
      expect(found).to.deep.equal(names);
    });
  }

  it("move: what somebody stored meanwhile stays", async () => {
    at.write("a", "old");
    await at.run("cp", "a", "s3://demo/a");
    const held = at.server.faults.pause({ operation: "DeleteObject", key: "a", at: "request" });
    const moving = at.run("mv", "s3://demo/a", "b");
    await held.reached;
    await at.plain.send(new PutObjectCommand({ Bucket: "demo", Key: "a", Body: "newer" }));
    held.release();
    expect((await moving).code).to.equal(7);
    expect((await at.head("a")).ContentLength).to.equal(5);
    expect(at.read("b")).to.equal("old");
  });

  it("move: a file that somebody wrote meanwhile stays, and so does an object whose copy is stored", async () => {
    for (const recursive of [false, true]) {
      const time = new Date(Date.now() - 60_000);
      at.write("tree/a", "old.1", time);
      const put = at.server.faults.pause({ operation: "PutObject", key: "t/a", at: "answer" });
      const up = recursive ? ["mv", "tree", "s3://demo/t", "--recursive"] : ["mv", "tree/a", "s3://demo/t/a"];
      const uploading = at.run(...up);
      await put.reached;
      // Of the same size and, as whoever copies files with their times makes it, as old.
      at.write("tree/a", "newer", time);
      put.release();
      const { code, stderr } = await uploading;
      expect(code).to.equal(recursive ? 8 : 6);
      expect(stderr).to.contain("The file changed meanwhile, and was left.");
      expect(at.read("tree/a")).to.equal("newer");

      const deletion = at.server.faults.pause({ operation: "DeleteObject", key: "t/a", at: "request" });
      const within = recursive
        ? ["mv", "s3://demo/t", "s3://other/t", "--recursive"]
        : ["mv", "s3://demo/t/a", "s3://other/t/a"];
      const copying = at.run(...within);
      await deletion.reached;
      await at.putPlain("t/a", "newer");
      deletion.release();
      expect((await copying).code).to.equal(recursive ? 8 : 7);
      expect((await at.head("t/a")).ContentLength).to.equal(5);
      expect((await at.run("cp", "s3://other/t/a", "copied")).code).to.equal(0);
      expect(at.read("copied")).to.equal("old.1");
    }
  });

  it("are refused onto themselves, and into themselves", async () => {
    at.write("a", "secret");
    await at.run("cp", "a", "s3://demo/t/a");
    for (const args of [
      ["mv", "s3://demo/t/a", "s3://demo/t/a"],
      ["mv", "s3://demo/t/a", "s3://demo/t/"],
      ["cp", "s3://demo/t/a", "s3://demo/t/a"],
      ["cp", "s3://demo/t", "s3://demo/t", "--recursive"],
      ["cp", "s3://demo/t", "s3://demo/t/inner", "--recursive"],
      ["mv", "s3://demo", "s3://demo/x", "--recursive"],
      ["mv", "s3://demo/t/a", "s3://demo-abc-s3alias/t/a"],
      ["mv", "s3://demo/t/a", "s3://demo-abc--op-s3/t/a"],
      ["cp", "s3://demo/t/a", "s3://arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/t/a"],
      ["sync", "s3://demo/t", "s3://demo/"],
    ]) {
      const { code, stderr } = await at.run(...args);
      expect({ code, args }).to.deep.equal({ code: 2, args });
      expect(stderr).to.match(/the same/);
    }
    expect((await at.head("t/a")).ContentLength).to.equal(22);
    // What changes something is no copy for nothing.
    const said = await at.run(
      "cp",
      "s3://demo/t/a",
      "s3://demo/t/a",
      "--metadata",
      "a=1",
      "--metadata-directive",
      "REPLACE",
    );
    expect(said.code).to.equal(0);
    expect((await at.head("t/a")).Metadata).to.include({ a: "1" });
    await at.run("cp", "s3://demo/t/a", "a2");
    expect(at.read("a2")).to.equal("secret");
  });

  it("refuse what cannot be, before anything is asked", async () => {
    at.write("tree/a", "a");
    for (const args of [
      ["cp", "a", "b"],
      ["mv", "-", "s3://demo/x"],
      ["cp", "tree", "-", "--recursive"],
      ["cp", "s3://demo/t/", "x"],
      ["cp", "s3://demo", "x"],
      ["cp", "tree/a", "s3://demo/", "--recursive"],
      ["cp", "tree/a", "s3://demo/a", "--metadata", "novalue"],
      ["cp", "tree/a", "s3://demo/a", "--sse-c-key", "short"],
      ["rm", "s3://demo"],
      ["cat", "s3://demo/a/"],
    ]) {
      const { code, stdout } = await at.run(...args);
      expect({ code, stdout, args }).to.deep.equal({ code: 2, stdout: "", args });
    }
    expect((await at.run("cp", "nowhere", "s3://demo/", "--recursive")).stderr).to.equal(
      "s3ec: There is no file or folder nowhere.\n",
    );
    expect(at.asked("PutObject")).to.equal(0);
  });

  it("do not upload over the instruction file of another that they upload", async () => {
    at.write("tree/a", "a");
    at.write("tree/a.instruction", "a document");
    at.write("tree/b.instruction", "another");
    const { code, stderr, stdout } = await at.run("cp", "tree", "s3://demo", "--recursive");
    expect(code).to.equal(8);
    expect(stderr).to.contain("upload failed: tree/a.instruction to s3://demo/a.instruction Its key is that of");
    expect(stdout).to.equal("upload: tree/a to s3://demo/a\nupload: tree/b.instruction to s3://demo/b.instruction\n");
  });

  it("tell in JSON, a line each, and keep quiet where asked", async () => {
    at.write("tree/a", "a");
    at.write("tree/b", "b");
    at.server.faults.add({ operation: "PutObject", key: "b", status: 403, code: "AccessDenied" });
    const { stdout } = await at.run("cp", "tree", "s3://demo/", "--recursive", "--json");
    const [done, failed, last, ...rest] = stdout
      .split("\n")
      .map((line) => (line === "" ? undefined : JSON.parse(line)));
    expect(rest).to.deep.equal([undefined]);
    expect(done).to.include({ operation: "upload", from: "tree/a", to: "s3://demo/a", state: "done", bytes: 1 });
    expect(failed).to.include({ operation: "upload", from: "tree/b", state: "failed" });
    expect(last).to.deep.equal({ totals: { done: 1, failed: 1, skipped: 0, plain: 0, bytes: 1 } });
    expect(await at.run("cp", "tree", "s3://demo/", "--recursive", "--quiet")).to.deep.equal({
      code: 8,
      stdout: "",
      stderr: "",
    });
    const errors = await at.run("cp", "tree", "s3://demo/", "--recursive", "--only-show-errors");
    expect(errors.stdout).to.equal("");
    expect(errors.stderr).to.match(/^upload failed: /);
  });

  it("tell with --verbose what opened it, and no key and no plaintext", async () => {
    at.write("a", "secret");
    await at.run("cp", "a", "s3://demo/a");
    const { stderr } = await at.run("cp", "s3://demo/a", "b", "--verbose");
    expect(stderr).to.match(/^ {2}request \S+\n {2}format V3, data key wrapped by AES\/GCM \(\w+\)\n$/);
  });

  it("tell in JSON also with --only-show-errors what could not be read, and begin no line that a key has written", async () => {
    at.write("tree/a", "a");
    symlinkSync("nowhere", join(at.folder, "tree/link"));
    const unread = await at.run("cp", "tree", "s3://demo/t", "--recursive", "--json", "--only-show-errors");
    expect(unread.code).to.equal(8);
    const [line, totals] = unread.stdout.split("\n").map((text) => (text === "" ? {} : JSON.parse(text)));
    expect(line).to.include({ state: "skipped", reason: "unread", problem: "It is a link that leads nowhere." });
    expect(totals).to.deep.equal({ totals: { done: 1, failed: 0, skipped: 1, plain: 0, bytes: 1 } });
    await at.putPlain("u/x\ndelete: s3://demo/y", "in the clear");
    const { code, stderr } = await at.run("cp", "s3://demo/u", "s3://other/u", "--recursive");
    expect(code).to.equal(8);
    expect(stderr.trim().split("\n")).to.have.length(2);
    expect(stderr).to.match(/^copy failed: .*\ns3ec: 1 of 1 failed\.\n$/);
  });
});
