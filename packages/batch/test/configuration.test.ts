import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { createBatchHandler } from "@s3ec/batch";
import { S3EncryptionClient } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { resultsOf } from "./invocation.js";

const Bucket = "bucket";
const wrappingKey = randomBytes(32);

/** Parameter Store and Secrets Manager, as far as their one operation goes. */
async function startStores(
  texts: Readonly<Record<string, string>>,
): Promise<{ server: Server; endpoint: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { Name, SecretId, WithDecryption } = JSON.parse(Buffer.concat(chunks).toString());
    const name = Name ?? SecretId;
    asked.push(`${request.headers["x-amz-target"]} ${name} ${WithDecryption ?? ""}`.trim());
    const text = texts[name];
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.statusCode = text === undefined ? 400 : 200;
    const type = Name === undefined ? "ResourceNotFoundException" : "ParameterNotFound";
    const answer = Name === undefined ? { SecretString: text } : { Parameter: { Value: text } };
    response.end(JSON.stringify(text === undefined ? { __type: type } : answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { server, endpoint: `http://127.0.0.1:${port}`, asked };
}

describe("the handler's configuration", () => {
  let dev: DevServer;
  let folder: string;
  const key64 = wrappingKey.toString("base64");
  before(async () => {
    dev = await startDevServer({ buckets: [Bucket] });
    folder = await mkdtemp(join(tmpdir(), "s3ec-batch-"));
    const encryption = { keyring: new RawAesKeyring({ wrappingKey }) };
    const client = new S3EncryptionClient({ ...dev.clientConfig, encryption });
    await client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "x" }));
    client.destroy();
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await dev.close();
  });
  const said = async (env: Record<string, string>, endpoint?: string) => {
    const handler = createBatchHandler({
      env: { S3EC_OPERATION: "verify", LAMBDA_TASK_ROOT: folder, ...env },
      s3: dev.clientConfig,
      ...(endpoint === undefined
        ? {}
        : { aws: { endpoint, region: "eu-west-1", credentials: dev.credentials, maxAttempts: 1 } }),
    });
    const { resultCode, resultString } = (await resultsOf(handler, Bucket, ["a"])).get("a") ?? {};
    return `${resultCode} ${resultString}`;
  };

  it("is a file beside the code, with keys in files beside it", async () => {
    await writeFile(join(folder, "aes.key"), wrappingKey, { mode: 0o600 });
    const configuration = { keyring: { type: "raw-aes", wrappingKey: { file: "aes.key" } } };
    await writeFile(join(folder, "s3ec.config.json"), JSON.stringify(configuration));
    expect(await said({ S3EC_CONFIG: "s3ec.config.json" })).to.match(/^Succeeded verified/);
  });

  it("is in Parameter Store or Secrets Manager, in JSON or YAML, as its keys may be", async () => {
    const { server, endpoint, asked } = await startStores({
      "/s3ec/config": "keyring:\n  type: raw-aes\n  wrappingKey: { secretsManager: s3ec/key, encoding: base64 }\n",
      "s3ec/key": key64,
      "s3ec/config": JSON.stringify({ keyring: { type: "raw-aes", wrappingKey: { parameterStore: "/s3ec/key" } } }),
      "/s3ec/key": key64,
      "/s3ec/none": "just words",
      "/s3ec/wrong": JSON.stringify({ keyrin: {} }),
    });
    try {
      expect(await said({ S3EC_CONFIG: "ssm:/s3ec/config" }, endpoint)).to.match(/^Succeeded verified/);
      expect(await said({ S3EC_CONFIG: "secretsmanager:s3ec/config" }, endpoint)).to.match(/^Succeeded verified/);
      expect(asked.slice(0, 4)).to.deep.equal([
        "AmazonSSM.GetParameter /s3ec/config true",
        "secretsmanager.GetSecretValue s3ec/key",
        "secretsmanager.GetSecretValue s3ec/config",
        "AmazonSSM.GetParameter /s3ec/key true",
      ]);
      expect(await said({ S3EC_CONFIG: "ssm:/s3ec/gone" }, endpoint)).to.contain(
        "PermanentFailure key-unavailable: The configuration that S3EC_CONFIG names cannot be read: the parameter named here could not be fetched (ParameterNotFound)",
      );
      expect(await said({ S3EC_CONFIG: "ssm:/s3ec/none" }, endpoint)).to.match(/invalid-configuration: .*S3EC_CONFIG/);
      expect(await said({ S3EC_CONFIG: "ssm:/s3ec/wrong" }, endpoint)).to.match(/invalid-configuration: .*keyrin/);
    } finally {
      server.close();
    }
  });

  it("is read once for all invocations, and again where that failed", async () => {
    const texts: Record<string, string> = {};
    const { server, endpoint, asked } = await startStores(texts);
    try {
      const handler = createBatchHandler({
        env: { S3EC_OPERATION: "verify", S3EC_CONFIG: "ssm:/s3ec/config" },
        s3: dev.clientConfig,
        aws: { endpoint, region: "eu-west-1", credentials: dev.credentials },
      });
      const once = async () => (await resultsOf(handler, Bucket, ["a"])).get("a")?.resultCode;
      expect(await once()).to.equal("PermanentFailure");
      texts["/s3ec/config"] = JSON.stringify({ keyring: { type: "raw-aes", wrappingKey: { base64: key64 } } });
      expect([await once(), await once()]).to.deep.equal(["Succeeded", "Succeeded"]);
      expect(asked).to.have.length(2);
    } finally {
      server.close();
    }
  });

  it("runs no command, and reads no standard input", async () => {
    for (const [source, why] of [
      [{ command: ["cat", "/etc/hostname"] }, /command/],
      [{ stdin: true }, /standard input|stdin/],
    ] as const) {
      const configuration = { keyring: { type: "raw-aes", wrappingKey: source } };
      await writeFile(join(folder, "bad.config.json"), JSON.stringify(configuration));
      const text = await said({ S3EC_CONFIG: "bad.config.json" });
      expect(text).to.match(/^PermanentFailure invalid-configuration: /);
      expect(text).to.match(why);
    }
  });

  it("is missed where it is needed", async () => {
    expect(await said({})).to.contain("Set S3EC_CONFIG");
    await writeFile(join(folder, "aes.key"), wrappingKey, { mode: 0o600 });
    const configuration = { keyring: { type: "raw-aes", wrappingKey: { file: "aes.key" } } };
    await writeFile(join(folder, "s3ec.config.json"), JSON.stringify(configuration));
    expect(await said({ S3EC_CONFIG: "s3ec.config.json", S3EC_OPERATION: "rewrap" })).to.contain("Set S3EC_TO_CONFIG");
    expect(await said({ S3EC_CONFIG: "missing.json" })).to.match(/invalid-configuration: .*does not exist/);
  });
});
