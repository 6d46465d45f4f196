import { generateKeyPairSync } from "node:crypto";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { environmentFor, runExample } from "@s3ec/test-support";
import { expect } from "chai";

describe("the README's example", () => {
  it("works as it stands, and the escrow key alone opens what it wrote", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await using server = await startDevServer({ buckets: ["my-bucket"] });
    server.kms.createKey({ alias: "alias/app" });
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    await runExample(import.meta.url, { env: environmentFor(server), files: { "escrow.pub.pem": pem } });
    server.clearRequests();
    const escrow = new S3EncryptionClient({
      ...server.clientConfig,
      encryption: { keyring: new RawRsaKeyring({ privateKey }) },
    });
    const get = new GetObjectCommand({ Bucket: "my-bucket", Key: "hello" });
    const { Body } = await escrow.send(get, { instructionFileSuffix: ".escrow" });
    expect(await Body?.transformToString()).to.equal("hello");
    expect(server.requests.filter(({ service }) => service === "kms")).to.deep.equal([]);
    escrow.destroy();
  });
});
