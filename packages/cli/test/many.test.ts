import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createFromConfig } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { timeLeft } from "../dist/objects-progress.js";
import { type Outcome, start, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const repository = fileURLToPath(new URL("../../../", import.meta.url));

describe("s3ec rewrap and migrate of many objects", () => {
  const { folder, remove } = temporaryFolder();
  const keys = { old: randomBytes(32), new: randomBytes(32) };
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo", "shared"], aliases: ["alias/app", "alias/old", "alias/new"] });
    for (const [key, wrappingKey] of Object.entries(keys)) {
      const keyring = {
        type: "raw-aes",
        wrappingKey: { base64: wrappingKey.toString("base64") },
        materialDescription: { key },
      };
      const client = { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" };
      writeFileSync(join(folder, `${key}.json`), JSON.stringify({ keyring, client }));
    }
  });
  after(async () => {
    await server.close();
    remove();
  });
  const local = (...args: string[]): Promise<Outcome> => s3ec([...args, "--dev-server", server.endpoint], folder);
  const rewrap = (...args: string[]) =>
    local("rewrap", "s3://demo/r/", "--config", "old.json", "--to", "new.json", "--settle-time", "0", ...args);

  async function put(bucket: string, names: readonly string[], configuration: object): Promise<void> {
    const services = { s3: server.clientConfig, kms: server.clientConfig };
    const { client, dispose } = await createFromConfig(configuration, services);
    for (const Key of names) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "four" }));
    await dispose();
  }
  const old = (commitmentPolicy = "REQUIRE_ENCRYPT_ALLOW_DECRYPT") => ({
    ...JSON.parse(readFileSync(join(folder, "old.json"), "utf8")),
    client: { commitmentPolicy },
  });

  it("re-wraps all below a prefix, reports each, and goes on with what its journal says", async () => {
    await put("demo", ["r/a", "r/b, ä"], old());
    const plain = new S3Client(server.clientConfig);
    await plain.send(new PutObjectCommand({ Bucket: "demo", Key: "r/plain", Body: "plain" }));
    plain.destroy();
    const dry = await rewrap("--recursive", "--dry-run", "--resume", "journal");
    expect([dry.stderr, dry.code]).to.deep.equal(["", 0]);
    expect(dry.stdout.split("\n").slice(0, 3)).to.deep.equal([
      "planned     AES/GCM         r/a",
      "planned     AES/GCM         r/b, ä",
      "skipped                     r/plain: It is not encrypted.",
    ]);
    expect(dry.stdout).to.contain("\nplanned: 2 objects\nskipped: 1 object\nWrapped in:\n  metadata: 2 objects\n");
    expect(existsSync(join(folder, "journal"))).to.equal(false);

    server.faults.add({ operation: "CopyObject", key: "r/a", status: 403, code: "AccessDenied" });
    const failed = await rewrap("--recursive", "--csv", "--resume", "journal");
    server.faults.clear();
    expect(failed.code).to.equal(8);
    const [head, first, second] = failed.stdout.split("\n");
    expect(head).to.equal(
      "key,version,state,code,wraps,places,changed,replacedVersion,problem,todo,removed,remaining,dropped",
    );
    expect(first).to.match(/^r%2Fa,,failed,AccessDenied,,,,,S3 answered AccessDenied .*,.*s3:PutObject/);
    expect(second).to.match(/^r%2Fb%2C%20%C3%A4,,rewrapped,,AES\/GCM,metadata,last-modified/);
    expect(failed.stderr).to.contain("failed: 1 object\n").and.contain("  AccessDenied: 1 object");

    const again = await rewrap("--recursive", "--json", "--resume", "journal");
    expect([again.stderr, again.code]).to.deep.equal(["", 0]);
    const results = again.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(results.map(({ state, totals }) => state ?? totals.byState)).to.deep.equal([
      "rewrapped",
      "current",
      "skipped",
      { rewrapped: 1, current: 1, skipped: 1 },
    ]);
    // What a filter left out only for what the run has done to it.
    const older = ["--older", "2020-01-01", "--described", "key=old"];
    const filtered = await rewrap("--recursive", "--summary", "--resume", "journal", ...older);
    expect([filtered.stdout, filtered.code]).to.deep.equal(["current: 2 objects\n", 0]);
    const other = await rewrap("--recursive", "--resume", "journal", "--to-description", "key=other");
    expect(other.code).to.equal(2);
    expect(other.stderr).to.contain("the journal of a run with another target");
    const all = await local("verify", "s3://demo/r/", "--recursive", "--config", "new.json", "--summary");
    expect(all.stdout).to.contain("verified: 2 objects");
  });

  it("writes anew what a filter means, of the keys on standard input", async () => {
    await put("demo", ["m/v2"], old("FORBID_ENCRYPT_ALLOW_DECRYPT"));
    await put("demo", ["m/v3"], old());
    const migrate = ["migrate", "s3://demo", "--keys", "-", "--config", "old.json", "--settle-time", "0"];
    const args = [...migrate, "--format", "V2", "--rate", "100", "--dev-server", server.endpoint];
    const { child, outcome } = start(args, folder, {}, "pipe");
    child.stdin?.end("m/v2\nm/v3\n");
    const { stdout, stderr, code } = await outcome;
    expect([stderr, code]).to.deep.equal(["", 0]);
    expect(stdout).to.equal("migrated                    m/v2\n\nmigrated: 1 object\n");
    const found = await local("audit", "s3://demo/m/", "--recursive", "--summary");
    expect(found.stdout).to.contain("V3: 2 objects").and.not.contain("V2");
  });

  it("says of one object what it would do, and which options are of many", async () => {
    await put("demo", ["one"], old());
    const one = await local("rewrap", "s3://demo/one", "--config", "old.json", "--to", "new.json", "--dryrun");
    expect(one.stdout).to.contain("would be wrapped with AES/GCM, in its metadata; nothing was changed.");
    for (const [args, said] of [
      [["--resume", "x"], /^s3ec: --resume is of many objects: --recursive, --inventory or --keys\.\n$/],
      [["--format", "V2"], /^s3ec: --format is of many objects: --recursive, --inventory or --keys\.\n$/],
      [["--rate", "0"], /argument '0' is invalid\. Write a number of objects a second/],
      [["--recursive", "--format", "V7"], /^s3ec: The formats are V1, V2 and V3\.\n$/],
    ] as const) {
      const { code, stderr } = await local(
        "rewrap",
        "s3://demo/one",
        "--config",
        "old.json",
        "--to",
        "new.json",
        ...args,
      );
      expect([args.join(" "), code]).to.deep.equal([args.join(" "), 2]);
      expect(stderr).to.match(said);
    }
  });

  it("tells how long it takes", () => {
    expect(timeLeft(0, 10, 1000)).to.equal("");
    expect(timeLeft(10, 110, 1000)).to.equal("10 s left");
    expect(timeLeft(10, 2410, 1000)).to.equal("4 min left");
    expect(timeLeft(10, 100_010, 1000)).to.equal("2 h 46 min left");
  });

  it("leads from a key that ends to nothing that needs it, in the six commands of the README", async () => {
    const kms = (keyId: string) => ({ type: "kms", keyId });
    const children = [{ keyring: kms("alias/old"), instructionFileSuffix: ".partner" }];
    await put("shared", ["2025/report", "2026/report"], {
      keyring: { type: "multi", generator: kms("alias/app"), children },
    });
    for (const [name, keyId] of [
      ["app", "alias/app"],
      ["partner", "alias/old"],
      ["partner-2026", "alias/new"],
    ] as const) {
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ keyring: kms(keyId) }));
    }
    const readme = readFileSync(join(repository, "README.md"), "utf8");
    const section = readme.slice(readme.indexOf("## When a key ends"));
    const [, block = ""] = /^```sh\n(.*?)^```$/ms.exec(section) ?? [];
    const lines = block.split("\n").filter((line) => line.startsWith("s3ec "));
    const told: Outcome[] = [];
    for (const line of lines) {
      const [command = ""] = line.split("#");
      told.push(await local(...command.trim().split(/\s+/).slice(1)));
    }
    expect(told.map(({ code }, index) => [lines[index], code])).to.deep.equal(
      lines.map((line, index) => [line, index === 0 ? 8 : 0]),
    );
    expect(lines).to.have.length(6);
    expect(told[0]?.stdout).to.contain("Need it: 2 objects");
    expect(told[2]?.stdout).to.contain("rewrapped: 2 objects");
    expect(told.at(-1)?.stdout).to.contain("Nothing in the bucket needs it.");
  });
});
