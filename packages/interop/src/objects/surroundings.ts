import { generateKeyPairSync, randomBytes } from "node:crypto";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createKmsKey } from "../servers/kms-key.js";
import { CREDENTIALS, type ServiceEndpoint } from "../servers/servers.js";
import type { ChildJob } from "./job.js";
import type { Surroundings } from "./matrix.js";

const BUCKET = "interop";

/** Makes the bucket and one key of each kind. */
export async function prepare(s3: ServiceEndpoint, kms: ServiceEndpoint): Promise<Surroundings> {
  const storage = new S3Client({ ...s3, credentials: CREDENTIALS, forcePathStyle: true });
  await storage.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const keyrings = {
    aes: { type: "aes", key: randomBytes(32).toString("base64") },
    rsa: rsaKeyring(),
    kms: { type: "kms", keyId: await createKmsKey(kms) },
  } as const;
  return { s3, kms, bucket: BUCKET, keyrings, child: rsaKeyring() };
}

function rsaKeyring(): ChildJob["keyring"] {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    type: "rsa",
    privateKey: privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"),
    publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  };
}
