import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  AuditTotals,
  addRecipientToObjects,
  auditBucket,
  kmsKeyQuestion,
  listObjects,
  objectFilter,
  RewriteTotals,
  rewrapObjects,
} from "@s3ec/bulk";
import { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
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

  it("has code that moves objects, and says of each that was not moved what to do", async () => {
    const [, [, example = ""] = []] = [...page.matchAll(/^```js\n(.*?)^```$/gms)];
    await using server = await startDevServer({ buckets: ["demo"] });
    const folder = mkdtempSync(join(tmpdir(), "s3ec-docs-"));
    const keyOf = (key: string) => new RawAesKeyring({ wrappingKey: randomBytes(32), materialDescription: { key } });
    const keyring = keyOf("old");
    const client = new S3EncryptionClient({ ...server.clientConfig, encryption: { keyring } });
    for (const Key of ["2026/a.pdf", "2026/b/c.pdf", "2026/d.txt", "2025/e.pdf"]) {
      await client.send(new PutObjectCommand({ Bucket: "demo", Key, Body: "x" }));
    }
    server.faults.add({ operation: "CopyObject", key: "2026/b/c.pdf", status: 403, code: "AccessDenied" });
    const said: unknown[][] = [];
    const scope = {
      ...{ client, newKeyring: keyOf("new"), rewrapObjects, listObjects, objectFilter, RewriteTotals },
      console: { log: (...words: unknown[]) => said.push(words) },
    };
    const inFolder = example.replace('"2026.journal"', JSON.stringify(join(folder, "2026.journal")));
    await new AsyncFunction(...Object.keys(scope), inFolder)(...Object.values(scope));
    expect(said[0]?.slice(0, 2)).to.deep.equal(["2026/b/c.pdf", "AccessDenied"]);
    expect(said[1]).to.deep.equal([false, { rewrapped: 1, failed: 1 }]);
    rmSync(folder, { recursive: true });
    client.destroy();
  });

  it("is joined by that on partners, with code that gives many objects a recipient", async () => {
    const partners = readFileSync(
      fileURLToPath(new URL("../../../docs/share-with-a-partner.md", import.meta.url)),
      "utf8",
    );
    const [, [, example = ""] = []] = [...partners.matchAll(/^```js\n(.*?)^```$/gms)];
    await using server = await startDevServer({ buckets: ["demo"] });
    const { arn: keyId } = server.kms.createKey();
    const kms = new KMSClient(server.clientConfig);
    const encryption = { keyring: new KmsKeyring({ keyId, client: kms }) };
    const client = new S3EncryptionClient({ ...server.clientConfig, encryption });
    const object = { Bucket: "demo", Key: "2026/a" };
    await client.send(new PutObjectCommand({ ...object, Body: "x" }), { encryptionContext: { tenant: "a" } });
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const folder = mkdtempSync(join(tmpdir(), "s3ec-docs-"));
    const inFolder = example.replace('"partner.journal"', JSON.stringify(join(folder, "partner.journal")));
    const said: unknown[][] = [];
    const console = { log: (...words: unknown[]) => said.push(words) };
    const scope = { client, partnerPublicKey: publicKey, RawRsaKeyring, addRecipientToObjects, listObjects, console };
    const again = ["2026/a", "current", "The journal says that it is done, and it stands as it did then."];
    for (const expected of [[], [again]]) {
      said.length = 0;
      await new AsyncFunction(...Object.keys(scope), inFolder)(...Object.values(scope));
      expect(said).to.deep.equal(expected);
    }
    const partner = new S3EncryptionClient({
      ...server.clientConfig,
      encryption: { keyring: new RawRsaKeyring({ privateKey }) },
    });
    const { Body } = await partner.send(new GetObjectCommand(object));
    expect(await Body?.transformToString()).to.equal("x");
    rmSync(folder, { recursive: true });
    for (const each of [client, partner, kms]) each.destroy();
  });
});
