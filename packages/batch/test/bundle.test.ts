import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { KMSClient } from "@aws-sdk/client-kms";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { environmentFor } from "@s3ec/test-support";
import { expect } from "chai";
import { eventOf } from "./invocation.js";

const Bucket = "bucket";
const MEGABYTE = 1_000_000;

describe("the bundle", () => {
  let folder: string;
  let bytes: number;
  let server: DevServer;
  before(async () => {
    server = await startDevServer({ buckets: [Bucket], aliases: ["alias/app"] });
    // Away from every node_modules.
    folder = await mkdtemp(join(tmpdir(), "s3ec-bundle-"));
    const { makeBundle } = await import(new URL("../make-bundle.mjs", import.meta.url).href);
    bytes = await makeBundle(join(folder, "index.mjs"));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await server.close();
  });

  it("is as large as the README says", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const [, stated] = /`lambda\/index.mjs` is (\d+\.\d) MB/.exec(readme) ?? [];
    expect(Number(stated)).to.be.closeTo(bytes / MEGABYTE, 0.1);
  });

  it("serves an event where nothing is installed: keys of KMS and AES, from YAML", async () => {
    const wrappingKey = randomBytes(32);
    const kms = new KMSClient(server.clientConfig);
    const put = async (Key: string, keyring: RawAesKeyring | KmsKeyring) => {
      const client = new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } });
      await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
      client.destroy();
    };
    await put("aes", new RawAesKeyring({ wrappingKey }));
    await put("kms", new KmsKeyring({ keyId: "alias/app", client: kms }));
    kms.destroy();
    const configurations = [
      "configurations:",
      `  aes: { keyring: { type: raw-aes, wrappingKey: { base64: "${wrappingKey.toString("base64")}" } } }`,
      "  kms: { keyring: { type: kms, keyId: alias/app } }",
    ];
    await writeFile(join(folder, "s3ec.config.yaml"), `${configurations.join("\n")}\n`, { mode: 0o600 });
    const events = ["aes", "kms"].map((use) => eventOf(Bucket, [use], { use }));
    await writeFile(
      join(folder, "call.mjs"),
      `import { handler } from "./index.mjs";
       for (const event of ${JSON.stringify(events)}) console.log((await handler(event)).results[0].resultString);`,
    );
    const env = { ...environmentFor(server), S3EC_OPERATION: "verify", S3EC_CONFIG: "s3ec.config.yaml" };
    const { stdout } = await promisify(execFile)(process.execPath, ["call.mjs"], { cwd: folder, env });
    expect(stdout).to.equal(
      "verified: all of its 3 bytes are authentic (format s3).\nverified: all of its 3 bytes are authentic (format s3).\n",
    );
  });
});
