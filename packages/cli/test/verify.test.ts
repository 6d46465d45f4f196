import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { type Outcome, start, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

const rawAes = () => ({ type: "raw-aes", wrappingKey: { base64: randomBytes(32).toString("base64") } });

describe("s3ec verify", () => {
  const { folder, remove } = temporaryFolder();
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    writeFileSync(join(folder, "own.json"), JSON.stringify({ keyring: rawAes() }));
    writeFileSync(join(folder, "other.json"), JSON.stringify({ keyring: rawAes() }));
    writeFileSync(join(folder, "report"), "a report");
  });
  after(async () => {
    await server.close();
    remove();
  });
  const local = (...args: string[]): Promise<Outcome> => s3ec([...args, "--dev-server", server.endpoint], folder);

  it("tells of each object whether it can be read, and by its exit code whether all can", async () => {
    for (const key of ["a", "b/1", "b/2"]) await local("put", "report", `s3://demo/${key}`, "--config", "own.json");
    const client = new S3Client(server.clientConfig);
    await client.send(new PutObjectCommand({ Bucket: "demo", Key: "plain", Body: "plain" }));
    client.destroy();
    const args = ["verify", "s3://demo", "--recursive", "--config", "own.json"];
    const strict = await local(...args);
    expect([strict.code, strict.stderr]).to.deep.equal([
      8,
      "s3ec: 1 object is not encrypted: say --plain skip where that is meant.\n",
    ]);
    const all = await local(...args, "--plain", "skip");
    expect([all.code, all.stderr, all.stdout]).to.deep.equal([0, "", strict.stdout]);
    expect(all.stdout).to.equal(
      [
        "verified          8             a",
        "verified          8             b/1",
        "verified          8             b/2",
        "plain             5             plain",
        "",
        "verified: 3 objects, 24 bytes",
        "plain: 1 object, 5 bytes",
        "",
      ].join("\n"),
    );
    const one = await local("verify", "s3://demo/a", "--config", "own.json", "--json");
    expect(
      one.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).to.deep.equal([
      { bucket: "demo", key: "a", state: "verified", bytes: 8, formatName: "s3" },
      { totals: { byState: { verified: { objects: 1, bytes: 8 } } } },
    ]);
    const other = await local("verify", "s3://demo/b/", "--recursive", "--config", "other.json", "--summary");
    expect([other.code, other.stderr, other.stdout]).to.deep.equal([8, "", "failed: 2 objects, 0 bytes\n"]);
  });

  it("has no answer about a prefix that nothing begins with, nor have audits and moves", async () => {
    const said = "s3ec: There is nothing at s3://demo/c/: is it spelled right?\n";
    for (const args of [
      ["verify", "--config", "own.json"],
      ["audit"],
      ["audit", "--key-of", "own.json", "--json"],
      ["rewrap", "--config", "own.json", "--to", "other.json"],
      ["migrate", "--config", "own.json", "--dry-run"],
    ]) {
      const [command = "", ...more] = args;
      const { code, stderr } = await local(command, "s3://demo/c/", "--recursive", ...more);
      expect({ args, code, stderr }).to.deep.equal({ args, code: 7, stderr: said });
    }
    // A filter may mean nothing of what is there.
    const none = await local("verify", "s3://demo/b/", "--recursive", "--config", "own.json", "--glob", "x");
    expect([none.code, none.stdout]).to.deep.equal([0, "\nThere is nothing to verify.\n"]);
  });

  it("takes no object that stands for a folder for one that was not encrypted", async () => {
    const client = new S3Client(server.clientConfig);
    await client.send(new PutObjectCommand({ Bucket: "demo", Key: "folder/", Body: "" }));
    const verify = ["verify", "s3://demo/folder/", "--recursive", "--config", "own.json"];
    expect(await local(...verify)).to.include({ code: 0, stderr: "" });
    await client.send(new PutObjectCommand({ Bucket: "demo", Key: "folder/", Body: "not empty" }));
    expect((await local(...verify)).code).to.equal(8);
    await client.send(new DeleteObjectCommand({ Bucket: "demo", Key: "folder/" }));
    client.destroy();
  });

  it("takes keys from standard input, and is told which objects in one way", async () => {
    const args = ["verify", "s3://demo", "--keys", "-", "--config", "own.json", "--summary"];
    const { child, outcome } = start([...args, "--dev-server", server.endpoint], folder, {}, "pipe");
    child.stdin?.end("b/2\nb/1\n");
    expect((await outcome).stdout).to.equal("verified: 2 objects, 16 bytes\n");
    writeFileSync(join(folder, "keys.txt"), "b/2\nb/gone\n");
    const missing = await local("verify", "s3://demo", "--keys", "keys.txt", "--config", "own.json", "--summary");
    expect([missing.code, missing.stdout]).to.deep.equal([
      8,
      "verified: 1 object, 8 bytes\nnothing: 1 object, 0 bytes\n",
    ]);
    for (const command of ["verify", "audit"]) {
      expect((await local(command, "s3://demo/b/gone", "--config", "own.json")).code).to.equal(7);
    }
    expect((await local("verify", "s3://demo", "--config", "own.json")).code).to.equal(2);
  });

  it("leaves out what a filter does not mean, and never answers for a whole bucket then", async () => {
    const verify = (...args: string[]) =>
      local("verify", "s3://demo", "--recursive", "--config", "own.json", "--json", ...args);
    const keys = async (...args: string[]) =>
      (await verify(...args)).stdout
        .trimEnd()
        .split("\n")
        .flatMap((line) => JSON.parse(line).key ?? []);
    expect(await keys("--glob", "b/*")).to.deep.equal(["b/1", "b/2"]);
    expect(await keys("--smaller", "6")).to.deep.equal(["plain"]);
    expect(await keys("--larger", "1KiB")).to.deep.equal([]);
    expect(await keys("--newer", "2026-01-01", "--older", "2026-01-02")).to.deep.equal([]);
    const audit = ["audit", "s3://demo", "--recursive", "--key-of", "other.json"];
    expect((await local(...audit)).code).to.equal(0);
    expect((await local(...audit, "--glob", "**")).code).to.equal(9);
    for (const [option, value] of [
      ["--larger", "1.5"],
      ["--older", "yesterday"],
      ["--newer", "2026-99-99"],
      ["--glob", ""],
    ] as const) {
      expect((await verify(option, value)).code, `${option} ${value}`).to.equal(2);
    }
    writeFileSync(join(folder, "keys.txt"), "b/1\n");
    const one = await local("verify", "s3://demo", "--keys", "keys.txt", "--larger", "1", "--config", "own.json");
    expect(one.stderr).to.contain("does not say how large");
  });
});
