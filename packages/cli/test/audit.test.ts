import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { type Outcome, start, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const rawAes = (key: string) => ({
  type: "raw-aes",
  wrappingKey: { base64: randomBytes(32).toString("base64") },
  materialDescription: { key },
});

describe("s3ec audit", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  let server: DevServer;
  let client: S3Client;
  before(() => {
    temporary = temporaryFolder();
    const write = (name: string, keyring: object, more = {}) =>
      writeFileSync(join(temporary.folder, name), JSON.stringify({ keyring, ...more }));
    write("old.json", { type: "kms", keyId: "alias/old" });
    write("new.json", { type: "kms", keyId: "alias/new" });
    const raw = rawAes("raw");
    write("raw.json", raw);
    write("two.json", {
      ...raw,
      decryptionKeys: [{ wrappingKey: raw.wrappingKey, materialDescription: { key: "2" } }],
    });
    write(
      "messages.json",
      { ...raw, messageKey: { namespace: "a", name: "b" } },
      { client: { formats: [{ type: "aws-message" }, { type: "s3" }] } },
    );
    writeFileSync(join(temporary.folder, "report"), "a report");
  });
  after(() => temporary.remove());
  beforeEach(async () => {
    server = await startDevServer({ buckets: ["demo", "inv", "inventories"], aliases: ["alias/old", "alias/new"] });
    client = new S3Client(server.clientConfig);
  });
  afterEach(async () => {
    client.destroy();
    await server.close();
  });

  const local = (...args: string[]): Promise<Outcome> =>
    s3ec([...args, "--dev-server", server.endpoint], temporary.folder);
  const put = async (key: string, config: string) => {
    const { code, stderr } = await local("put", "report", `s3://demo/${key}`, "--config", config);
    expect([code, stderr]).to.deep.equal([0, ""]);
  };
  const plain = (Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket: "demo", Key, Body }));
  const lines = (stdout: string) =>
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

  it("says what a bucket holds, as a table, as JSON and as CSV", async () => {
    await put("a", "old.json");
    await put("b", "raw.json");
    await plain("line\nbreak,", "plain");
    const table = await local("audit", "s3://demo", "--recursive");
    expect([table.code, table.stderr]).to.deep.equal([0, ""]);
    expect(table.stdout).to.equal(
      [
        "STATE             FORMAT  WRAPS           BYTES         KEY",
        "encrypted         V3      kms+context     8             a",
        "encrypted         V3      AES/GCM         8             b",
        "plain                                                   line\\u000abreak,",
        "",
        "In all: 3 objects, 21 bytes",
        "What they are:",
        "  encrypted: 2 objects, 16 bytes",
        "  plain: 1 object, 5 bytes",
        "Formats:",
        "  V3: 2 objects, 16 bytes",
        "Wraps:",
        "  kms+context: 1 object, 8 bytes",
        "  AES/GCM: 1 object, 8 bytes",
        "",
      ].join("\n"),
    );
    const json = lines((await local("audit", "s3://demo/", "--recursive", "--json")).stdout);
    expect(json.map(({ key, state }) => [key, state])).to.deep.equal([
      ["a", "encrypted"],
      ["b", "encrypted"],
      ["line\nbreak,", "plain"],
      [undefined, undefined],
    ]);
    expect(json[3].totals).to.include({ objects: 3, bytes: 21 });
    const csv = await local("audit", "s3://demo/", "--recursive", "--csv");
    expect(csv.stdout.split("\n").slice(0, 4)).to.deep.equal([
      "key,version,state,format,suite,wraps,places,legacy,bytes,needsKey,problem,readable,whyNot",
      "a,,encrypted,V3,ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,kms+context,metadata,false,8,,,,",
      "b,,encrypted,V3,ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY,AES/GCM,metadata,false,8,,,,",
      "line%0Abreak%2C,,plain,,,,,false,,,,,",
    ]);
    expect(csv.stderr).to.contain("In all: 3 objects");
    const one = await local("audit", "s3://demo/b", "--summary");
    expect(one.stdout).to.match(/^In all: 1 object, 8 bytes\n/);
  });

  it("exits with 0 only when nothing in the whole bucket needs the key any more", async () => {
    await put("a", "old.json");
    await put("b", "new.json");
    const audit = (...args: string[]) => local("audit", "s3://demo", "--recursive", "--key-of", "old.json", ...args);
    // Without KMS nothing tells which key has wrapped what.
    const unasked = await audit("--summary");
    expect(unasked.code).to.equal(8);
    expect(unasked.stdout).to.contain("May need it, which counts the same: 2 objects, 16 bytes");
    const asked = await audit("--ask-kms");
    expect(asked.code).to.equal(8);
    expect(asked.stdout).to.contain("Need it: 1 object, 8 bytes");
    expect(asked.stdout).to.match(/The key: alias\/old, which is arn:aws:kms:us-west-2:\d{12}:key\/[\w-]+\n/);
    const moved = await local("rewrap", "s3://demo/a", "--config", "old.json", "--to", "new.json", "--same-owner");
    expect([moved.code, moved.stderr]).to.deep.equal([0, ""]);
    const done = await audit("--ask-kms");
    expect([done.code, done.stderr]).to.deep.equal([0, ""]);
    expect(done.stdout).to.match(
      /Nothing in the bucket needs it\. Whoever writes with it must have stopped by 20\d\d-/,
    );
    expect(done.stdout).to.contain("No audit sees backups, replicas");
    expect((await local("audit", "s3://demo/b", "--key-of", "old.json", "--ask-kms")).code).to.equal(9);
    const prefix = await local("audit", "s3://demo/b", "--recursive", "--key-of", "old.json", "--ask-kms", "--json");
    expect(prefix.code).to.equal(9);
    expect(lines(prefix.stdout).at(-1).keyOf).to.include({ answer: "not-in-this-list" });
    // What is begun may become an object that needs it.
    await client.send(new CreateMultipartUploadCommand({ Bucket: "demo", Key: "pending" }));
    const pending = await audit("--ask-kms");
    expect(pending.code).to.equal(8);
    expect(pending.stdout).to.contain("Not known: Uploads in parts have begun and not ended");
  });

  it("takes no message of the AWS Encryption SDK for an object that needs no key", async () => {
    await put("a", "messages.json");
    const asked = await local("audit", "s3://demo", "--recursive", "--key-of", "raw.json");
    expect(asked.code).to.equal(8);
    expect(asked.stdout).to.match(/^message .* unknown +a$/m);
    expect(asked.stdout).to.contain("May need it, which counts the same: 1 object");
    const long = Buffer.concat([Buffer.from("020578", "hex"), Buffer.alloc(100_000)]);
    await client.send(new PutObjectCommand({ Bucket: "demo", Key: "long", Body: long }));
    expect((await local("audit", "s3://demo/long")).stdout).to.match(/^plain /m);
    expect((await local("audit", "s3://demo/long", "--messages")).stdout).to.match(/^message /m);
    await client.send(new DeleteObjectCommand({ Bucket: "demo", Key: "a" }));
    await client.send(new DeleteObjectCommand({ Bucket: "demo", Key: "long" }));
    // A configuration that reads messages, too, is answered like any other.
    expect((await local("audit", "s3://demo", "--recursive", "--key-of", "messages.json")).code).to.equal(0);
  });

  it("knows old versions, and those that it was not told to look at", async () => {
    await client.send(
      new PutBucketVersioningCommand({ Bucket: "demo", VersioningConfiguration: { Status: "Enabled" } }),
    );
    await put("a", "old.json");
    await put("a", "new.json");
    const audit = (...args: string[]) =>
      local("audit", "s3://demo", "--recursive", "--key-of", "old.json", "--ask-kms", ...args);
    const current = await audit();
    expect(current.code).to.equal(8);
    const notSeen = "only the current objects were looked at (--versions looks at all).";
    expect(current.stdout).to.contain(notSeen);
    const unasked = await local("audit", "s3://demo", "--recursive", "--summary");
    expect(unasked.stdout)
      .to.match(/^Not known: The bucket keeps versions/m)
      .and.contain(notSeen);
    const json = await local("audit", "s3://demo", "--recursive", "--summary", "--json");
    expect(JSON.parse(json.stdout).unknown.join()).to.contain(notSeen);
    expect(current.stdout).to.not.contain("Need it");
    const all = await audit("--versions", "--json");
    expect(all.code).to.equal(8);
    const old = lines(all.stdout).find(({ needsKey }) => needsKey === "yes");
    expect(old).to.include({ key: "a" });
    await client.send(new DeleteObjectCommand({ Bucket: "demo", Key: "a", VersionId: old.versionId }));
    expect((await audit("--versions")).code).to.equal(0);
  });

  it("asks about a raw key by trying it", async () => {
    await put("a", "raw.json");
    await put("b", "old.json");
    const { code, stdout } = await local("audit", "s3://demo", "--recursive", "--key-of", "raw.json", "--json");
    expect(code).to.equal(8);
    expect(
      lines(stdout)
        .slice(0, 2)
        .map(({ needsKey }) => needsKey),
    ).to.deep.equal(["yes", "no"]);
    expect(lines(stdout)[2].keyOf.key).to.equal('the AES key described as {"key":"raw"}');
  });

  it("answers each of several keys by itself, and exits with 0 only if nothing needs any of them", async () => {
    await put("a", "old.json");
    await put("b", "new.json");
    const audit = (...args: string[]) => local("audit", "s3://demo", "--recursive", "--ask-kms", ...args);
    const both = await audit("--key-of", "old.json", "--key-of", "raw.json", "--json");
    expect([both.code, both.stderr]).to.deep.equal([8, ""]);
    const [a, b, last] = lines(both.stdout);
    expect([a.needsKeys, b.needsKeys]).to.deep.equal([
      { "old.json": "yes", "raw.json": "no" },
      { "old.json": "no", "raw.json": "no" },
    ]);
    expect(last.keysOf.map(({ answer }: { answer: string }) => answer)).to.deep.equal(["needed", "not-needed"]);
    const uses = { old: { keyring: rawAes("1") }, older: { keyring: rawAes("2") } };
    writeFileSync(join(temporary.folder, "uses.json"), JSON.stringify({ configurations: uses }));
    const none = await audit("--key-of", "uses.json", "--key-of-use", "old", "--key-of-use", "older", "--csv");
    expect(none.code, none.stderr).to.equal(0);
    expect(none.stdout).to.contain(",no: uses.json#old; no: uses.json#older,");
    expect(none.stderr.match(/Nothing in the bucket needs it\./g)).to.have.length(2);
    const twice = await audit("--key-of", "raw.json", "--key-of", "raw.json");
    expect([twice.code, twice.stderr]).to.deep.equal([2, "s3ec: Ask about each key once.\n"]);
  });

  it("says what a configuration cannot read, and exits with 0 only if that is nothing", async () => {
    await put("a", "raw.json");
    await put("b", "old.json");
    await plain("c", "plain");
    const audit = (...args: string[]) => local("audit", "s3://demo", "--recursive", "--readable-by", ...args);
    const raw = await audit("raw.json", "--json");
    expect([raw.code, raw.stderr]).to.deep.equal([8, ""]);
    const [a, b, c, last] = lines(raw.stdout);
    expect([a.readable, b.readable, c.readable]).to.deep.equal(["yes", "no", undefined]);
    expect(b.whyNot).to.contain("wrapped with kms+context, which no configured keyring unwraps");
    expect(last.readableBy).to.include({ reader: "raw.json", answer: "not-all" });
    const table = await audit("raw.json");
    expect(table.stdout).to.match(/^STATE .* READABLE +KEY$/m);
    expect(table.stdout).to.contain("  Cannot be read: 1 object, 8 bytes");
    // What KMS is not asked, nobody knows.
    expect((await local("audit", "s3://demo/b", "--readable-by", "new.json", "--csv")).stdout).to.contain(",unknown,");
    expect((await local("audit", "s3://demo/b", "--readable-by", "new.json", "--ask-kms")).code).to.equal(8);
    const listed = await local("audit", "s3://demo/b", "--readable-by", "old.json", "--ask-kms");
    expect([listed.code, listed.stderr]).to.deep.equal([9, ""]);
    await client.send(new DeleteObjectCommand({ Bucket: "demo", Key: "b" }));
    const all = await audit("raw.json", "--summary");
    expect([all.code, all.stderr]).to.deep.equal([0, ""]);
    expect(all.stdout).to.contain("Nothing that an audit finds encrypted in the bucket is beyond it");
    const only = JSON.stringify({
      keyring: { ...rawAes("m"), messageKey: { namespace: "a", name: "b" } },
      client: { formats: [{ type: "aws-message" }] },
    });
    writeFileSync(join(temporary.folder, "only-messages.json"), only);
    const refused = await audit("only-messages.json");
    expect([refused.code, refused.stderr.includes("reads none")]).to.deep.equal([2, true]);
  });

  it("takes keys from a named pipe, and ends at a signal while nobody writes to it", async function () {
    if (process.platform === "win32") this.skip();
    const pipe = join(temporary.folder, "keys.pipe");
    execFileSync("mkfifo", [pipe]);
    const args = ["audit", "s3://demo", "--keys", "keys.pipe", "--dev-server", server.endpoint];
    // Nobody sees from outside that it waits; a configuration that it has loaded before says so.
    writeFileSync(
      join(temporary.folder, "tells.mjs"),
      `setTimeout(() => console.error("ready"), 500);\nexport default ${JSON.stringify({ keyring: rawAes("tells") })};`,
    );
    const waiting = start([...args, "--key-of", "tells.mjs"], temporary.folder);
    if (waiting.child.stderr !== null) await once(waiting.child.stderr, "data");
    waiting.child.kill("SIGTERM");
    expect((await waiting.outcome).code).to.equal(143);
    const writer = spawn("sh", ["-c", 'echo no-such-key > "$0"', pipe]);
    const { code, stdout } = await start(args, temporary.folder).outcome;
    expect(code).to.not.equal(143);
    expect(stdout).to.contain("no-such-key");
    writer.kill();
  });

  it("takes keys from standard input and from an inventory, each spelled in one way", async () => {
    await put("a+b", "old.json");
    await plain("a b", "plain");
    const { child, outcome } = start(
      ["audit", "s3://demo", "--keys", "-", "--json", "--dev-server", server.endpoint],
      temporary.folder,
      {},
      "pipe",
    );
    child.stdin?.end("a+b\na b\ngone\n");
    const listed = lines((await outcome).stdout);
    expect(listed.slice(0, 3).map(({ key, state }) => [key, state])).to.have.deep.members([
      ["a+b", "encrypted"],
      ["a b", "plain"],
      ["gone", "nothing"],
    ]);
    writeFileSync(join(temporary.folder, "keys"), "a%2Bb\na+b\n");
    const encoded = await local("audit", "s3://demo", "--keys", "keys", "--keys-encoding", "url", "--json");
    expect(
      lines(encoded.stdout)
        .slice(0, 2)
        .map(({ key, state }) => [key, state]),
    ).to.have.deep.members([
      ["a+b", "encrypted"],
      ["a b", "plain"],
    ]);
    const csv = gzipSync('"demo","a%2Bb"\n"demo","a+b"\n');
    const md5 = (bytes: string | Buffer) => createHash("md5").update(bytes).digest("hex");
    const manifest = JSON.stringify({
      sourceBucket: "demo",
      creationTimestamp: "1764374400000",
      fileFormat: "CSV",
      fileSchema: "Bucket, Key",
      files: [{ key: "data", size: csv.length, MD5checksum: md5(csv) }],
    });
    const store = (Key: string, Body: string | Buffer) =>
      client.send(new PutObjectCommand({ Bucket: "inv", Key, Body }));
    await store("data", csv);
    await store("x/manifest.json", manifest);
    await store("x/manifest.checksum", md5(manifest));
    const inventory = await local(
      "audit",
      "s3://demo",
      "--inventory",
      "s3://inv/x/manifest.json",
      "--json",
      "--key-of",
      "raw.json",
    );
    expect([inventory.code, inventory.stderr]).to.deep.equal([9, ""]);
    expect(lines(inventory.stdout)[2].totals).to.include({ objects: 2 });
    const other = await local("audit", "s3://inv", "--inventory", "s3://inv/x/manifest.json");
    expect([other.code, other.stderr]).to.deep.equal([
      2,
      's3ec: The inventory lists the bucket "demo", and not "inv".\n',
    ]);
  });

  it("goes on where an object may not be looked at, and says so by its exit code", async () => {
    await put("a", "old.json");
    await plain("b", "plain");
    server.faults.add({ operation: "HeadObject", key: "a", status: 403 });
    const { code, stdout } = await local("audit", "s3://demo", "--recursive");
    expect(code).to.equal(8);
    expect(stdout).to.contain("a: It may not be read: allow s3:GetObject");
    expect(stdout).to.contain("plain");
    const asked = await local("audit", "s3://demo", "--recursive", "--key-of", "raw.json", "--summary");
    expect(asked.code).to.equal(8);
    expect(asked.stdout).to.contain("May need it, which counts the same: 1 object");
  });

  it("never answers for a key that it cannot ask about", async () => {
    await plain("a", "plain");
    for (const [args, code, said] of [
      [
        ["--key-of", "two.json"],
        2,
        "asks about one key: write a configuration that holds it alone, without decryptionKeys",
      ],
      [["--ask-kms"], 2, "name a key"],
    ] as const) {
      const outcome = await local("audit", "s3://demo", "--recursive", ...args);
      expect(outcome.code, args.join(" ")).to.equal(code);
      expect(outcome.stderr).to.contain(said);
    }
    server.faults.add({ service: "kms", operation: "DescribeKey", status: 400, code: "AccessDeniedException" });
    const alias = await local("audit", "s3://demo", "--recursive", "--key-of", "old.json", "--ask-kms");
    expect(alias.code).to.equal(5);
    expect(alias.stderr).to.contain("allow kms:DescribeKey on it, or name the key by its ARN");
  });

  it("is told which objects, in one way", async () => {
    for (const [args, said] of [
      [["s3://demo"], "say --recursive"],
      [["s3://demo/a/"], "say --recursive"],
      [["s3://demo", "--recursive", "--keys", "-"], "one of --recursive"],
      [["s3://demo/a", "--keys", "-"], "name the bucket alone"],
      [["s3://demo/a", "--versions"], "--versions is of --recursive"],
      [["s3://demo/a", "--keys-encoding", "url"], "is of --keys"],
      [["s3://demo/a", "--concurrency", "0"], "Write a number, 1 or more"],
    ] as const) {
      const { code, stderr } = await local("audit", ...args);
      expect([code, stderr.includes(said)], `${args.join(" ")}: ${stderr}`).to.deep.equal([2, true]);
    }
  });

  it("runs the commands of the page on many objects as they stand", async () => {
    const page = readFileSync(fileURLToPath(new URL("../../../docs/many-objects.md", import.meta.url)), "utf8");
    const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, code = ""]) => code.trim().split("\n"));
    expect(blocks.map(({ length }) => length)).to.deep.equal([5, 1, 1, 1, 3]);
    const [, json = ""] = /`(\{ "keyring": .*?\})`/.exec(page) ?? [];
    writeFileSync(join(temporary.folder, "old.config.json"), json);
    writeFileSync(join(temporary.folder, "keys.txt"), "2026/report\n");
    writeFileSync(join(temporary.folder, "new.config.json"), json.replace("alias/old", "alias/new"));
    await put("2026/report", "new.json");
    const folder = "demo/all/2026-11-29T01-00Z";
    const store = (Key: string, Body: string) =>
      client.send(new PutObjectCommand({ Bucket: "inventories", Key: `${folder}/${Key}`, Body }));
    const manifest = JSON.stringify({
      sourceBucket: "demo",
      creationTimestamp: "1764374400000",
      fileFormat: "CSV",
      fileSchema: "Bucket, Key",
      files: [],
    });
    await store("manifest.json", manifest);
    await store("manifest.checksum", createHash("md5").update(manifest).digest("hex"));
    for (const line of blocks.flat()) {
      const { code, stderr } = await local(...line.split(" ").slice(1));
      expect(code, `${line}: ${stderr}`).to.equal(0);
    }
  });
});
