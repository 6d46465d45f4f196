import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { KMSClient } from "@aws-sdk/client-kms";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { createBatchHandler } from "@s3ec/batch";
import { addRecipient, S3EncryptionClient, type S3EncryptionOptions } from "@s3ec/client";
import { type DevServer, startDevServer } from "@s3ec/dev-server";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { expect } from "chai";
import { resultsOf } from "./invocation.js";
import { writeConfiguration } from "./written-configuration.js";

interface Taken {
  readonly reads: number;
  readonly writes: number;
  readonly kms: number;
}

interface Estimate {
  readonly total: number;
  readonly time: number;
  readonly binds: string;
  readonly seconds: number;
  readonly takes: Readonly<Record<string, number>>;
}

const Bucket = "bucket";
const page = new URL("../../../docs/scale.md", import.meta.url);
const { OPERATIONS, byDownload, estimate, table } = (await import(
  new URL("../../../docs/examples/scale.mjs", import.meta.url).href
)) as {
  OPERATIONS: Readonly<Record<string, Taken>>;
  estimate: (operation: string, given?: object) => Estimate;
  byDownload: (given?: object) => Estimate;
  table: (given?: object) => string;
};

/** What S3 bills as a write: PUT, COPY, POST, LIST. Deletes are free, and count for a prefix. */
const WRITES = /^(Put|Copy|List|Delete|Create|Complete|Upload)/;

describe("the page on scale", () => {
  it("has the table that its arithmetic gives", async () => {
    const text = await readFile(page, "utf8");
    const shown = /```sh\nnode docs\/examples\/scale\.mjs(?: '(.*?)')?\n```\n\n((?:\|.*\n)+)/g;
    const tables = [...text.matchAll(shown)];
    expect(tables).to.have.length(3);
    for (const [, given = "{}", shown] of tables) {
      expect(shown?.trim()).to.equal(table(JSON.parse(given)));
    }
    expect(text).to.contain(table());
  });

  it("computes what a calculator does", () => {
    const given = {
      objects: 1000,
      bytes: 0,
      requestSeconds: 0.1,
      gib: 1,
      prices: { s3Read: 1, s3Write: 10, kms: 100, lambdaGibSecond: 1000, lambdaCall: 5, batchObject: 3 },
      quotas: { prefixes: 1, s3Reads: 100, s3Writes: 100, kms: 100, lambdaConcurrency: 1 },
    };
    const { reads = 0, writes = 0, kms = 0 } = OPERATIONS["audit, asking KMS"] ?? {};
    const seconds = (reads + writes + kms) * 0.1;
    const one = reads + writes * 10 + kms * 100 + seconds * 1000 + 5 + 3;
    const { total, time, binds } = estimate("audit, asking KMS", given);
    expect(total).to.be.closeTo(1000 * one, 1e-6);
    expect([time, binds]).to.deep.equal([1000 * seconds, "Lambda concurrency"]);
    const wide = { ...given, quotas: { ...given.quotas, kms: 1, lambdaConcurrency: 1e9 } };
    expect(estimate("audit, asking KMS", wide)).to.include({ time: 1000 * kms, binds: "KMS" });
    expect(
      byDownload({ objects: 10, bytes: 1e9, prices: { s3Read: 0, s3Write: 0, kms: 0, transferOutGb: 2 } }).total,
    ).to.equal(20);
  });
});

describe("what an object takes by S3 Batch Operations", () => {
  let server: DevServer;
  let kms: KMSClient;
  let config: Awaited<ReturnType<typeof writeConfiguration>>;
  const counted = new Map<string, Taken>();
  before(async () => {
    server = await startDevServer({ buckets: [Bucket], aliases: ["alias/old", "alias/partner"] });
    const { arn: newArn } = server.kms.createKey({ alias: "alias/new" });
    kms = new KMSClient(server.clientConfig);
    const keyring = (keyId: string) => ({ type: "kms", keyId: `alias/${keyId}` });
    const client = { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" };
    config = await writeConfiguration({
      configurations: {
        old: { client, keyring: keyring("old") },
        new: { client, keyring: keyring("new") },
        partner: { client, keyring: keyring("partner") },
        "new-by-arn": { client, keyring: { type: "kms", keyId: newArn } },
      },
    });
    await put("audit");
    await count("audit", "audit", { operation: "audit", use: "old", filesListed: "true" });
    await put("ask");
    await count("audit, asking KMS", "ask", {
      operation: "audit",
      use: "old",
      keyOfUse: "new-by-arn",
      askKms: "true",
      filesListed: "true",
    });
    await put("verify");
    await count("verify", "verify", { operation: "verify", use: "old" });
    await put("same");
    await count("rewrap, same owner", "same", { operation: "rewrap", use: "old", toUse: "new", sameOwner: "true" });
    await put("another");
    await count("rewrap, another owner", "another", { operation: "rewrap", use: "old", toUse: "new" });
    await put("recipient");
    const owner = clientOf({});
    const to = { keyring: new KmsKeyring({ keyId: "alias/partner", client: kms }) };
    await addRecipient(owner, { Bucket, Key: "recipient", recipient: "partner", to });
    owner.destroy();
    const partner = { operation: "rewrap", use: "partner", toUse: "new", recipient: "partner", sameOwner: "true" };
    await count("rewrap of a recipient", "recipient", partner);
    // The first object that is marked as being written anew has the store show that it knows annotations.
    await put("nothing", { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" });
    await put("migrate", { commitmentPolicy: "FORBID_ENCRYPT_ALLOW_DECRYPT" });
    await count("migrate", "migrate", { operation: "migrate", use: "old", toUse: "new" });
  });
  after(async () => {
    kms.destroy();
    await config.remove();
    await server.close();
  });

  const clientOf = (options: Partial<S3EncryptionOptions>): S3EncryptionClient => {
    const keyring = new KmsKeyring({ keyId: "alias/old", client: kms });
    return new S3EncryptionClient({
      ...server.clientConfig,
      encryption: { keyring, ...options } as S3EncryptionOptions,
    });
  };
  const put = async (Key: string, options: Partial<S3EncryptionOptions> = {}): Promise<void> => {
    const client = clientOf(options);
    await client.send(new PutObjectCommand({ Bucket, Key, Body: randomBytes(4000) }));
    client.destroy();
  };
  const handlerOf = (more: Record<string, string>) =>
    createBatchHandler({
      env: { S3EC_CONFIG: config.file, S3EC_SETTLE_TIME: "0", ...more },
      s3: server.clientConfig,
      kms: server.clientConfig,
    });
  const count = async (operation: string, Key: string, said: Record<string, string>): Promise<void> => {
    const handler = handlerOf("keyOfUse" in said ? { S3EC_KEY_OF_CONFIG: config.file } : {});
    // What is asked once for a process, such as whether the store knows annotations.
    await resultsOf(handler, Bucket, ["nothing"], said);
    server.clearRequests();
    const result = (await resultsOf(handler, Bucket, [Key], said)).get(Key);
    expect(result?.resultCode, result?.resultString).to.equal("Succeeded");
    const ofS3 = server.requests.filter(({ service }) => service === "s3").map((each) => each.operation);
    const writes = ofS3.filter((name) => WRITES.test(name)).length;
    counted.set(operation, {
      reads: ofS3.length - writes,
      writes,
      kms: server.requests.filter(({ service }) => service === "kms").length,
    });
  };

  it("is what the page's arithmetic starts from", () => {
    const stated = Object.entries(OPERATIONS).map(([name, { reads, writes, kms: asked }]) => [
      name,
      { reads, writes, kms: asked },
    ]);
    expect(Object.fromEntries(counted)).to.deep.equal(Object.fromEntries(stated));
  });
});
