// Reads an incoming mail as Amazon SES stores it when a receipt rule asks for S3 encryption.
// Runs alone: `node docs/examples/read-ses-mail.mjs` starts the local server and stores such a mail first.
import { createCipheriv, randomBytes } from "node:crypto";
import { GenerateDataKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { startDevServer } from "@s3ec/dev-server";
import { KmsKeyring } from "@s3ec/keyring-kms";

const server = await startDevServer({ buckets: ["mail"] });
const { arn } = server.kms.createKey({ alias: "alias/ses" });
const kms = new KMSClient(server.clientConfig);
const object = { Bucket: "mail", Key: "inbox/0123456789" };
await storeAsSesDoes("From: a@example.com\r\nSubject: Hello\r\n\r\nThe mail.\r\n");

// What you write in your own program is this.
const s3 = new S3EncryptionClient({
  ...server.clientConfig,
  encryption: {
    keyring: new KmsKeyring({ keyId: arn, client: kms }),
    commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT", // SES writes format V2, without key commitment
    enableLegacyWrappingAlgorithms: true, // its wrap is the old `kms`
  },
});
const { Body } = await s3.send(new GetObjectCommand(object));
console.log(await Body.transformToString());

s3.destroy();
kms.destroy();
await server.close();

async function storeAsSesDoes(mail) {
  const context = {
    "aws:ses-message-id": "0123456789",
    "aws:ses-rule-name": "inbox",
    "aws:ses-source-account": "111122223333",
    kms_cmk_id: arn,
  };
  const { Plaintext, CiphertextBlob } = await kms.send(
    new GenerateDataKeyCommand({ KeyId: arn, KeySpec: "AES_256", EncryptionContext: context }),
  );
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", Plaintext, iv);
  const body = Buffer.concat([cipher.update(mail), cipher.final(), cipher.getAuthTag()]);
  const plain = new S3Client(server.clientConfig);
  await plain.send(
    new PutObjectCommand({
      ...object,
      Body: body,
      Metadata: {
        "x-amz-key-v2": Buffer.from(CiphertextBlob).toString("base64"),
        "x-amz-iv": iv.toString("base64"),
        "x-amz-wrap-alg": "kms",
        "x-amz-cek-alg": "AES/GCM/NoPadding",
        "x-amz-tag-len": "128",
        "x-amz-matdesc": JSON.stringify(context),
        "x-amz-unencrypted-content-length": String(Buffer.byteLength(mail)),
      },
    }),
  );
  plain.destroy();
}
