import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import type { Answer, GetJob, Job, PutJob } from "./job.js";
import type { Peer } from "./peer.js";
import { plaintext, sha256 } from "./plaintext.js";
import { CREDENTIALS } from "./servers.js";

/** Our client as one more peer, in this process. */
export function startOurs(): Peer {
  const run = async (job: Job): Promise<Answer> => {
    const kms = new KMSClient({ ...job.kms, credentials: CREDENTIALS });
    try {
      return await runOurs(job, keyringOf(job, kms));
    } finally {
      kms.destroy();
    }
  };
  return { clients: ["ours"], run, close: () => Promise.resolve() };
}

/** Runs a job by our client with a keyring of the job's key, wherever that is. */
export async function runOurs(job: Job, keyring: Keyring): Promise<Answer> {
  const client = new S3EncryptionClient({
    ...job.s3,
    credentials: CREDENTIALS,
    forcePathStyle: true,
    encryption: {
      keyring,
      ...(job.op === "put" ? writing(job) : reading(job)),
    },
  });
  try {
    const bytes = job.op === "put" ? await put(client, job) : await get(client, job);
    return { ok: true, length: bytes.length, sha256: sha256(bytes) };
  } catch (failure) {
    return { ok: false, ...described(failure) };
  } finally {
    client.destroy();
  }
}

function keyringOf({ keyring }: Job, kms: KMSClient): Keyring {
  switch (keyring.type) {
    case "aes":
      return new RawAesKeyring({ wrappingKey: Buffer.from(keyring.key, "base64") });
    case "rsa":
      return new RawRsaKeyring({
        privateKey: { key: Buffer.from(keyring.privateKey, "base64"), format: "der", type: "pkcs8" },
      });
    case "kms":
      return new KmsKeyring({ keyId: keyring.keyId, client: kms });
  }
}

function writing(job: PutJob) {
  return {
    commitmentPolicy: job.suite === "gcm" ? "FORBID_ENCRYPT_ALLOW_DECRYPT" : "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    instructionFileConfig: { enableInstructionFilePutObject: job.placement === "instruction-file" },
  } as const;
}

function reading(job: GetJob) {
  return {
    commitmentPolicy: job.legacy ? "REQUIRE_ENCRYPT_ALLOW_DECRYPT" : "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    enableLegacyWrappingAlgorithms: job.legacy,
    enableLegacyUnauthenticatedModes: job.legacy,
    enableDelayedAuthenticationMode: job.delayedAuthentication,
  } as const;
}

/** The caller's entries; a `kms` wrap's description is not for a reader to pass. */
function callOptions(job: Job) {
  const { encryptionContext, materialDescription, instructionFileSuffix, keyring } = job;
  return {
    ...(encryptionContext === undefined ? {} : { encryptionContext }),
    ...(materialDescription === undefined || keyring.type === "kms" ? {} : { materialDescription }),
    ...(instructionFileSuffix === undefined ? {} : { instructionFileSuffix }),
  };
}

async function put(client: S3EncryptionClient, job: PutJob): Promise<Uint8Array> {
  const body = plaintext(job.body.seed, job.body.length);
  await client.send(new PutObjectCommand({ Bucket: job.bucket, Key: job.key, Body: body }), callOptions(job));
  return body;
}

async function get(client: S3EncryptionClient, job: GetJob): Promise<Uint8Array> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: job.bucket, Key: job.key }), callOptions(job));
  if (Body === undefined) throw new Error("There is no body.");
  return Body.transformToByteArray();
}

export function described(failure: unknown): { error: string; message: string } {
  if (!(failure instanceof Error)) return { error: "Thrown", message: String(failure) };
  const code = "code" in failure ? String(failure.code) : failure.name;
  return { error: code, message: failure.message };
}
