import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { loadKey } from "@s3ec/key-source";
import { runCommand } from "../build/run-command.js";
import { MissingToolchainError, requireTools } from "../build/toolchain.js";
import { createKmsKey } from "../servers/kms-key.js";
import { CREDENTIALS, type ServiceEndpoint } from "../servers/servers.js";
import type { ChildJob, KeyringJob, StoreJob } from "./job.js";
import type { Surroundings } from "./matrix.js";

const BUCKET = "interop";

/**
 * Makes the bucket and one key of each kind. The raw ones are in Java keystores of `folder`, of the kinds that keytool makes
 * now and made before Java 9, which Java and ours open themselves.
 */
export async function prepare(s3: ServiceEndpoint, kms: ServiceEndpoint, folder: string): Promise<Surroundings> {
  const storage = new S3Client({ ...s3, credentials: CREDENTIALS, forcePathStyle: true });
  await storage.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const keyrings = {
    aes: await aesInStore(folder),
    rsa: await rsaInStore(folder),
    kms: { type: "kms", keyId: await createKmsKey(kms) },
  } as const;
  return { s3, kms, bucket: BUCKET, keyrings, child: rsaKeyring() };
}

async function aesInStore(folder: string): Promise<KeyringJob> {
  const store = storeIn(folder, "aes.p12");
  const made = await keytool(store, "PKCS12", ["-genseckey", "-keyalg", "AES", "-keysize", "256"]);
  if (!made) return { type: "aes", key: randomBytes(32).toString("base64") };
  const key = await storedKey(store, "aes");
  return { type: "aes", key: key.export().toString("base64"), store };
}

async function rsaInStore(folder: string): Promise<KeyringJob> {
  const store = storeIn(folder, "rsa.jks");
  const made = await keytool(store, "JKS", [
    "-genkeypair",
    "-keyalg",
    "RSA",
    "-keysize",
    "2048",
    "-dname",
    "CN=interop",
  ]);
  if (!made) return rsaKeyring();
  return { ...rsaJob(await storedKey(store, "rsa-private")), store };
}

function storeIn(folder: string, name: string): StoreJob {
  return { file: join(folder, name), alias: "interop", passphrase: randomBytes(12).toString("hex") };
}

/** False where there is no keytool: then there is no peer in Java either. */
async function keytool({ file, alias, passphrase }: StoreJob, type: string, args: readonly string[]): Promise<boolean> {
  const store = ["-keystore", file, "-storetype", type, "-storepass:env", "STORE_PASSPHRASE", "-alias", alias];
  const key = type === "JKS" ? ["-keypass:env", "STORE_PASSPHRASE"] : [];
  try {
    await requireTools("keytool");
  } catch (error) {
    if (error instanceof MissingToolchainError) return false;
    throw error;
  }
  await runCommand("keytool", [...args, ...store, ...key], { env: { STORE_PASSPHRASE: passphrase } });
  return true;
}

const STORED = new Map<string, Promise<KeyObject>>();

/** As our client gets it from the store; once, since opening one takes as long as a hundred objects. */
export function storedKey({ file, alias, passphrase }: StoreJob, type: "aes" | "rsa-private"): Promise<KeyObject> {
  const name = JSON.stringify([file, alias, type]);
  const env = { STORE_PASSPHRASE: passphrase };
  const load = (): Promise<KeyObject> =>
    // The folder around it is nobody else's.
    loadKey({ file, alias, passphrase: { env: "STORE_PASSPHRASE" } }, { type, env, onWarning: () => {} });
  const key = STORED.get(name) ?? load();
  STORED.set(name, key);
  return key;
}

function rsaKeyring(): ChildJob["keyring"] {
  return rsaJob(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
}

function rsaJob(privateKey: KeyObject): ChildJob["keyring"] {
  return {
    type: "rsa",
    privateKey: privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"),
    publicKey: createPublicKey(privateKey).export({ type: "spki", format: "der" }).toString("base64"),
  };
}
