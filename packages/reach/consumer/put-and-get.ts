// TypeScript and JavaScript alike, so that each combination can load the same text as what it is for.
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";

export async function putAndGet() {
  const settings = {
    endpoint: String(process.env["S3EC_ENDPOINT"]),
    region: "us-west-2",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    forcePathStyle: true,
  };
  const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32) });
  const encrypting = new S3EncryptionClient({ ...settings, encryption: { keyring } });
  const plain = new S3Client(settings);
  const object = { Bucket: String(process.env["S3EC_BUCKET"]), Key: "object" };
  const content = randomBytes(60_000);
  try {
    await encrypting.send(new PutObjectCommand({ ...object, Body: content }));
    const stored = await plain.send(new GetObjectCommand(object));
    const bytes = Buffer.from((await stored.Body?.transformToByteArray()) ?? []);
    if (stored.Metadata?.["x-amz-c"] === undefined) throw new Error("It was not stored in format V3.");
    if (bytes.includes(content.subarray(0, 32))) throw new Error("It was stored as it is.");
    const { Body } = await encrypting.send(new GetObjectCommand(object));
    if (!content.equals((await Body?.transformToByteArray()) ?? content.subarray(1))) {
      throw new Error("Other bytes came back.");
    }
    return "The same bytes came back.";
  } finally {
    encrypting.destroy();
    plain.destroy();
  }
}
