import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { KMSClient } from "@aws-sdk/client-kms";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AuditTotals, auditBucket, kmsKeyQuestion } from "@s3ec/bulk";
import { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { expect } from "chai";

const page = readFileSync(fileURLToPath(new URL("../../../docs/many-objects.md", import.meta.url)), "utf8");
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;

describe("the page on many objects", () => {
  it("has code that tells whether a key is free", async () => {
    const [, example = ""] = /^```js\n(.*?)^```$/ms.exec(page) ?? [];
    await using server = await startDevServer({ buckets: ["demo"] });
    const old = server.kms.createKey({ alias: "alias/old" });
    const other = server.kms.createKey({ alias: "alias/new" });
    const kms = new KMSClient(server.clientConfig);
    const s3 = new S3Client(server.clientConfig);
    const client = new S3EncryptionClient({
      ...server.clientConfig,
      encryption: { keyring: new KmsKeyring({ keyId: "alias/new", client: kms }) },
    });
    await client.send(new PutObjectCommand({ Bucket: "demo", Key: "a", Body: "x" }));
    const isFree = async (keyArn: string): Promise<boolean> => {
      const scope = { keyArn, kms, s3, AuditTotals, auditBucket, kmsKeyQuestion, console: { log: () => {} } };
      return await new AsyncFunction(...Object.keys(scope), `${example}\nreturn isFree;`)(...Object.values(scope));
    };
    expect(await isFree(old.arn)).to.equal(true);
    expect(await isFree(other.arn)).to.equal(false);
    for (const each of [kms, s3, client]) each.destroy();
  });
});
