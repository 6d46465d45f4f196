import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { type Outcome, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const rawAes = (key: string) => ({
  type: "raw-aes",
  wrappingKey: { base64: randomBytes(32).toString("base64") },
  materialDescription: { key },
});

describe("s3ec recipients", () => {
  const { folder, remove } = temporaryFolder();
  let server: DevServer;
  let plain: S3Client;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    plain = new S3Client(server.clientConfig);
    writeFileSync(join(folder, "own.json"), JSON.stringify({ keyring: rawAes("own") }));
    writeFileSync(join(folder, "partner.json"), JSON.stringify({ keyring: rawAes("partner") }));
    writeFileSync(join(folder, "report"), "a report");
  });
  after(async () => {
    plain.destroy();
    await server.close();
    remove();
  });
  const local = (...args: string[]): Promise<Outcome> => s3ec([...args, "--dev-server", server.endpoint], folder);

  it("does many: adds what is missing, goes on with its journal, and removes", async () => {
    const own = ["--config", "own.json"];
    for (const key of ["m/a", "m/b", "m/c.txt", "m/in/d"]) await local("put", "report", `s3://demo/${key}`, ...own);
    const many = ["s3://demo/m/", "partner", "--recursive", ...own];
    const add = (...args: string[]) => local("recipients", "add", ...many, "--to", "partner.json", ...args);
    const readable = async () => {
      const { stdout } = await local("verify", "s3://demo/m/", "--recursive", "--config", "partner.json", "--json");
      const lines = stdout.trim().split("\n");
      const read = lines.map((line) => JSON.parse(line)).filter(({ state }) => state === "verified");
      return read.map(({ key }) => key);
    };
    const dry = await add("--dryrun");
    expect([dry.code, dry.stderr]).to.deep.equal([0, ""]);
    expect(dry.stdout)
      .to.match(/^planned +AES\/GCM +m\/a\n/)
      .and.contain("planned: 4 objects\nWrapped in:\n");
    expect(await readable()).to.deep.equal([]);
    const some = await add(
      "--exclude",
      "*",
      "--include",
      "?",
      "--include",
      "in/*",
      "--exclude",
      "b",
      "--resume",
      "add.journal",
    );
    expect(some.stdout.match(/^added .*$/gm)?.map((line) => line.split(/ +/).at(-1))).to.deep.equal(["m/a", "m/in/d"]);
    expect(await readable()).to.deep.equal(["m/a", "m/in/d"]);
    server.faults.add({ operation: "PutObjectAnnotation", key: "m/b", status: 403, code: "AccessDenied", times: 1 });
    const rest = await add("--resume", "add.journal");
    expect(rest.code).to.equal(8);
    expect(rest.stdout)
      .to.match(/^current .* m\/a: The journal says/m)
      .and.match(/^failed .* m\/b: S3 answered AccessDenied/m);
    expect(rest.stdout).to.match(/^added .* m\/c\.txt$/m);
    const again = await add("--csv");
    expect(again.code).to.equal(0);
    expect(again.stdout.match(/,(?:added|current),/g)).to.deep.equal([
      ",current,",
      ",added,",
      ",current,",
      ",current,",
    ]);
    expect(await readable()).to.have.lengthOf(4);
    // Another key under the name, and a journal of another run.
    const other = await local("recipients", "add", ...many, "--to", "own.json", "--summary");
    expect([other.code, other.stdout.split("\n")[0]]).to.deep.equal([8, "refused: 4 objects"]);
    const remove = (...args: string[]) => local("recipients", "remove", ...many, ...args);
    expect((await remove("--resume", "add.journal")).code).to.equal(2);
    const removed = await remove("--json");
    const [line] = removed.stdout.split("\n");
    expect(JSON.parse(line ?? "")).to.deep.include({
      bucket: "demo",
      key: "m/a",
      recipient: "partner",
      state: "removed",
    });
    expect(await readable()).to.deep.equal([]);
    expect((await remove("--summary")).stdout).to.equal("current: 4 objects\n");
    const none = await local("recipients", "remove", "s3://demo/none/", "partner", "--recursive", ...own);
    expect([none.code, none.stderr]).to.deep.equal([
      7,
      "s3ec: There is nothing at s3://demo/none/: is it spelled right?\n",
    ]);
    for (const [args, said] of [
      [["--recursive", "--version-id", "v"], "--version-id is of one object"],
      [["--exclude", "a"], "names no object"],
      [["--resume", "j"], "names no object"],
    ] as const) {
      const wrong = await local("recipients", "remove", "s3://demo/m/", "partner", ...own, ...args);
      expect(wrong.code, said).to.equal(2);
      expect(wrong.stderr).to.contain(said);
    }
  });

  it("tells a name that has a suffix's dot as the recipient's, of one object and of many, and for one journal", async () => {
    const own = ["--config", "own.json"];
    await local("put", "report", "s3://demo/dot/a", ...own);
    const nameOf = ({ stdout }: Outcome): unknown => JSON.parse(stdout.split("\n")[0] ?? "").recipient;
    const add = await local("recipients", "add", "s3://demo/dot/a", ".dotty", ...own, "--to", "partner.json", "--json");
    expect(nameOf(add)).to.equal("dotty");
    expect(Object.keys(JSON.parse(add.stdout.split("\n")[0] ?? "").wraps[0])).to.have.members([
      "place",
      "wrapAlgorithm",
      "verified",
      "isReencrypted",
    ]);
    for (const name of ["dotty", ".dotty"]) {
      const many = ["s3://demo/dot/", name, "--recursive", ...own, "--resume", "dot.journal", "--json"];
      const removed = await local("recipients", "remove", ...many);
      expect([removed.code, nameOf(removed)], removed.stderr).to.deep.equal([0, "dotty"]);
    }
    await local("recipients", "add", "s3://demo/dot/a", "dotty", ...own, "--to", "partner.json");
    expect(nameOf(await local("recipients", "remove", "s3://demo/dot/a", ".dotty", ...own, "--json"))).to.equal(
      "dotty",
    );
  });

  it("does with many what the page on partners shows", async () => {
    const page = readFileSync(new URL("../../../docs/share-with-a-partner.md", import.meta.url), "utf8");
    const [, lines = ""] = /^```sh\n(s3ec recipients .*?)^```$/ms.exec(page) ?? [];
    server.kms.createKey({ alias: "alias/app" });
    const app = JSON.stringify({ keyring: { type: "kms", keyId: "alias/app" } });
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(join(folder, "page.pem"), publicKey.export({ type: "spki", format: "pem" }));
    writeFileSync(join(folder, "own.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
    const rsa = (half: object) => JSON.stringify({ keyring: { type: "raw-rsa", ...half } });
    // As on the page, the partner's public key alone is here.
    writeFileSync(join(folder, "app.config.json"), app);
    writeFileSync(join(folder, "page.json"), rsa({ publicKey: { file: "page.pem" } }));
    writeFileSync(join(folder, "page-own.json"), rsa({ privateKey: { file: "own.pem" } }));
    await local("put", "report", "s3://demo/2026/a", "--config", "app.config.json", "--context", "tenant=a");
    const said: string[] = [];
    for (const line of lines.replaceAll("partner.json", "page.json").trimEnd().split("\n")) {
      if (line.includes("remove")) {
        const read = await local("get", "s3://demo/2026/a", "-", "--config", "page-own.json");
        expect(read.stdout).to.equal("a report");
      }
      const { code, stdout, stderr } = await local(...line.split(" ").slice(1));
      expect([code, stderr], line).to.deep.equal([0, ""]);
      said.push(/^\w+/.exec(stdout)?.[0] ?? "");
    }
    expect(said).to.deep.equal(["planned", "added", "removed"]);
  });

  it("removes one where the context proves another wrap of an object that has none on it", async () => {
    expect((await local("keygen", "kms", "alias/bound")).code).to.equal(0);
    const client = { instructionFileConfig: { enableInstructionFilePutObject: true } };
    writeFileSync(
      join(folder, "bound.json"),
      JSON.stringify({ keyring: { type: "kms", keyId: "alias/bound" }, client }),
    );
    const bound = ["--config", "bound.json", "--context", "tenant=a"];
    const objects = ["s3://demo/bound/1", "s3://demo/bound/2"];
    for (const object of objects) {
      expect((await local("put", "report", object, ...bound)).stderr).to.equal("");
      const to = ["--to", "partner.json", "--no-to-context"];
      expect((await local("recipients", "add", object, "partner", ...bound, ...to)).stderr).to.equal("");
      // As other clients write it: nothing but the key says whose it is.
      const { Bucket, Key } = { Bucket: "demo", Key: `${object.slice("s3://demo/".length)}.instruction` };
      const file = await plain.send(new GetObjectCommand({ Bucket, Key }));
      const Body = (await file.Body?.transformToByteArray()) ?? "";
      await plain.send(new PutObjectCommand({ Bucket, Key, Body }));
    }
    const [one = ""] = objects;
    const remove = (object: string, ...args: string[]) =>
      local("recipients", "remove", object, "partner", "--config", "bound.json", ...args);
    for (const context of [[], ["--context", "tenant=b"]]) {
      const refused = await remove(one, ...context);
      expect([refused.code, refused.stdout]).to.deep.equal([4, ""]);
    }
    const removed = await remove(one, "--context", "tenant=a");
    expect([removed.code, removed.stderr]).to.deep.equal([0, ""]);
    const rest = ["s3://demo/bound/", "--recursive", "--exclude", "*.instruction", "--exclude", "1", "--json"];
    const [prefix = "", ...filters] = rest;
    expect((await remove(prefix, ...filters)).stdout).to.contain('"state":"refused"');
    expect((await remove(prefix, ...filters, "--context", "tenant=a")).stdout).to.contain('"state":"removed"');
    for (const command of ["remove", "list"]) {
      const name = command === "remove" ? ["partner"] : [];
      const wrong = await local("recipients", command, one, ...name, "--config", "bound.json", "--suffix", ".x");
      expect([wrong.code, wrong.stderr]).to.satisfy(
        ([code, text]: [number, string]) => code === 2 && text.includes("unknown option '--suffix'"),
      );
    }
  });

  it("says of one what it would do", async () => {
    const own = ["s3://demo/dry", "partner", "--config", "own.json"];
    await local("put", "report", "s3://demo/dry", "--config", "own.json");
    const added = await local("recipients", "add", ...own, "--to", "partner.json", "--dry-run");
    expect(added.stdout)
      .to.contain('"partner" would be a recipient of s3://demo/dry: AES/GCM')
      .and.contain("nothing was changed");
    expect((await local("recipients", "remove", ...own)).code).to.equal(2);
    await local("recipients", "add", ...own, "--to", "partner.json");
    const removed = await local("recipients", "remove", ...own, "--dry-run");
    expect(removed.stdout).to.match(/^Would remove the annotation x-s3ec\/partner\/[\w-]+\.\n$/);
    expect((await local("recipients", "remove", ...own)).stdout).to.contain("Removed the annotation");
  });

  it("adds, lists and removes one", async () => {
    const own = ["s3://demo/report", "--config", "own.json"];
    await local("put", "report", ...own);
    const read = () => local("get", "s3://demo/report", "out", "--config", "partner.json");
    expect((await read()).code).to.not.equal(0);
    const added = await local(
      "recipients",
      "add",
      "s3://demo/report",
      "partner",
      "--config",
      "own.json",
      "--to",
      "partner.json",
    );
    expect(added.stderr).to.equal("");
    const anonymous = (text: string): string => text.replace(/\/[0-9a-f-]{36}/g, "/ID");
    expect(anonymous(added.stdout)).to.equal(
      '"partner" is a recipient of s3://demo/report now: AES/GCM, in the annotation x-s3ec/partner/ID.\nThe recipient\'s key opens it.\n',
    );
    expect((await read()).code).to.equal(0);
    expect(anonymous((await local("recipients", "list", ...own)).stdout)).to.equal(
      "s3://demo/report\n  its metadata holds a wrapped key\n  partner: of this object, in the annotation x-s3ec/partner/ID\n",
    );
    const listed = JSON.parse((await local("recipients", "list", ...own, "--json")).stdout);
    expect(listed.recipients[0]).to.include({ recipient: "partner", state: "of this object" });
    expect((await local("inspect", "s3://demo/report")).stdout).to.match(
      /\n {2}Recipients {2}in annotations:\n {4}partner: AES\/GCM, since \d{4}-\d\d-\d\dT[\d:]{8}Z\n/,
    );
    const inspected = JSON.parse((await local("inspect", "s3://demo/report", "--json")).stdout);
    expect(inspected.recipients[0]).to.include({ recipient: "partner", wrap: "AES/GCM", kmsKeyId: null });
    server.faults.add({ operation: "ListObjectAnnotations", status: 403, code: "AccessDenied", times: 1 });
    expect((await local("inspect", "s3://demo/report")).stdout).to.contain("Recipients  in annotations unknown");
    const removed = await local("recipients", "remove", "s3://demo/report", "partner", "--config", "own.json");
    expect(removed.stdout).to.match(/^Removed the annotation x-s3ec\/partner\/[0-9a-f-]+\.\nWhoever has opened/);
    const again = await local("recipients", "remove", "s3://demo/report", "partner", "--config", "own.json");
    expect([again.code, again.stdout]).to.deep.equal([2, ""]);
    expect(again.stderr).to.contain('"partner" is no recipient').and.contain("s3ec recipients list");
    expect((await read()).code).to.not.equal(0);
  });

  it("does not say that all is done where a place of the recipient may not be looked at", async () => {
    const own = ["--config", "own.json"];
    await local("put", "report", "s3://demo/unseen", ...own);
    const allow = server.faults.add({ operation: "ListObjectAnnotations", status: 403, code: "AccessDenied" });
    const { code, stdout } = await local("recipients", "remove", "s3://demo/unseen", "partner", ...own);
    allow();
    expect([code, stdout]).to.deep.equal([
      8,
      'There was nothing of "partner" to remove.\nNot known to be removed: its annotations may not be looked at.\n',
    ]);
  });

  it("binds the context of the object to no raw key of a recipient where it is told to", async () => {
    const { kms } = server;
    kms.createKey({ alias: "alias/own" });
    writeFileSync(join(folder, "kms.json"), JSON.stringify({ keyring: { type: "kms", keyId: "alias/own" } }));
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = (key: KeyObject, type: "spki" | "pkcs8") => key.export({ type, format: "pem" });
    writeFileSync(join(folder, "public.pem"), pem(publicKey, "spki"));
    writeFileSync(join(folder, "private.pem"), pem(privateKey, "pkcs8"));
    const rsa = (half: object) => JSON.stringify({ keyring: { type: "raw-rsa", ...half } });
    writeFileSync(join(folder, "public.json"), rsa({ publicKey: { file: "public.pem" } }));
    writeFileSync(join(folder, "private.json"), rsa({ privateKey: { file: "private.pem" } }));
    const object = ["s3://demo/bound", "--config", "kms.json", "--context", "tenant=a"];
    expect((await local("put", "report", ...object)).stderr).to.equal("");
    const add = ["recipients", "add", "s3://demo/bound", "partner", ...object.slice(1), "--to", "public.json"];
    const refused = await local(...add, "--verify", "none");
    expect(refused.code).to.equal(2);
    expect(refused.stderr).to.contain("--no-to-context");
    expect((await local(...add, "--verify", "none", "--no-to-context")).code).to.equal(0);
    expect((await local("get", "s3://demo/bound", "-", "--config", "private.json")).stdout).to.equal("a report");
    const rewrap = ["rewrap", ...object, "--to", "partner.json", "--no-to-context"];
    expect((await local(...rewrap)).stderr).to.equal("");
    expect((await local("get", "s3://demo/bound", "-", "--config", "partner.json")).stdout).to.equal("a report");
  });

  it("must be told whose key it is", async () => {
    const { code, stderr } = await local("recipients", "add", "s3://demo/report", "x", "--config", "own.json");
    expect(code).to.equal(2);
    expect(stderr).to.contain("--to names a configuration");
  });
});
