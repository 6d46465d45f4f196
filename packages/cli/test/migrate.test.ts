import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { type Assembly, createFromConfig } from "@s3ec/container";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { expect } from "chai";
import { type Outcome, temporaryFolder } from "./command.js";
import { inProcess as s3ec } from "./objects/in-process.js";

describe("s3ec migrate", () => {
  let server: DevServer;
  let writer: Assembly;
  let temporary: ReturnType<typeof temporaryFolder>;
  const wrappingKey = randomBytes(32);

  before(async () => {
    server = await startDevServer({ buckets: ["demo"] });
    temporary = temporaryFolder();
    const keyring = { type: "raw-aes", wrappingKey: { base64: wrappingKey.toString("base64") } };
    const configuration = { keyring, client: { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" } };
    writeFileSync(join(temporary.folder, "s3ec.config.json"), JSON.stringify(configuration));
    const child = { type: "raw-aes", wrappingKey: { base64: randomBytes(32).toString("base64") } };
    const children = [{ keyring: child, instructionFileSuffix: ".escrow" }];
    writer = await createFromConfig(
      {
        keyring: { type: "multi", generator: keyring, children },
        client: { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT", enableUncommittedChildren: true },
      },
      { s3: server.clientConfig },
    );
    await writer.client.send(
      new PutObjectCommand({ Bucket: "demo", Key: "old", Body: "content", Metadata: { mine: "1" } }),
    );
  });
  after(async () => {
    await writer.dispose();
    await server.close();
    temporary.remove();
  });

  const run = (...args: string[]): Promise<Outcome> =>
    s3ec(["migrate", ...args, "--dev-server", server.endpoint], temporary.folder);

  it("takes one object and refuses what would be lost, until that is named", async () => {
    expect((await run("s3://demo/folder/")).stderr).to.match(/names no object: say --recursive/);
    const refused = await run("s3://demo/old");
    expect([refused.code, refused.stderr]).to.satisfy(
      ([code, text]: [number, string]) => code === 4 && /drop them by name: --drop \.escrow\./.test(text),
    );
    const { code, stdout, stderr } = await run("s3://demo/old", "--drop", ".escrow");
    expect(code, stderr).to.equal(0);
    expect(stdout.split("\n")).to.deep.equal([
      "s3://demo/old is written anew, with a new data key, in format V3.",
      "Not for these any more: .escrow.",
      "Removed: s3://demo/old.escrow.",
      "Not as before: last-modified, etag.",
      "",
    ]);
    const { Metadata } = await writer.client.send(new HeadObjectCommand({ Bucket: "demo", Key: "old" }));
    expect(Metadata).to.include({ mine: "1", "x-amz-c": "115" });
    const got = await s3ec(["get", "s3://demo/old", "-", "--dev-server", server.endpoint], temporary.folder);
    expect(got.stdout).to.equal("content");
  });

  it("writes with the key of another configuration, keeps a context of SSE-KMS, and says that it is V3 under a policy that writes V2", async () => {
    const [from, to] = ["from", "to"].map((key) => ({
      keyring: {
        type: "raw-aes",
        wrappingKey: { base64: randomBytes(32).toString("base64") },
        materialDescription: { key },
      },
      client: { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" },
    }));
    writeFileSync(join(temporary.folder, "both.json"), JSON.stringify({ use: "from", configurations: { from, to } }));
    writeFileSync(join(temporary.folder, "to.json"), JSON.stringify(to));
    const { client, dispose } = await createFromConfig(from ?? {}, { s3: server.clientConfig });
    const sse = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: "key-1" } as const;
    for (const [Key, target] of [
      ["one", ["--to", "to.json"]],
      ["two", ["--to-use", "to"]],
    ] as const) {
      await client.send(new PutObjectCommand({ Bucket: "demo", Key, Body: "content", ...sse }));
      const args = [`s3://demo/${Key}`, "--config", "both.json", ...target];
      expect((await run(...args)).stderr).to.match(/SSE-KMS/);
      server.clearRequests();
      const { code, stdout, stderr } = await run(...args, "--kms-context", "tenant=a", "--settle-time", "0");
      expect(code, stderr).to.equal(0);
      expect(stdout).to.match(/, in format V3\.\nIt has a key commitment now, .* \(FORBID_ENCRYPT_ALLOW_DECRYPT\)/);
      const put = server.requests.find(({ operation }) => operation === "PutObject");
      const context = Buffer.from(String(put?.headers["x-amz-server-side-encryption-context"]), "base64").toString();
      expect(JSON.parse(context)).to.deep.equal({ tenant: "a" });
      const get = (config: string) =>
        s3ec(["get", `s3://demo/${Key}`, "-", "--config", config, "--dev-server", server.endpoint], temporary.folder);
      expect((await get("to.json")).stdout).to.equal("content");
      expect((await get("both.json")).code).to.not.equal(0);
    }
    expect((await run("s3://demo/one", "--settle-time", "soon")).stderr).to.contain("It is a number of milliseconds.");
    await dispose();
  });

  it("names what may get lost", async () => {
    const { code, stderr } = await run("s3://demo/old", "--allow-loss", "everything");
    expect([code, /allowLoss must be a list of any of "acl"/.test(stderr)]).to.deep.equal([2, true]);
  });
});
