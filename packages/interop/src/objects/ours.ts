import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring } from "@s3ec/materials";
import { type Answer, answerOf } from "../peers/answer.js";
import { plaintext } from "../peers/plaintext.js";
import { CREDENTIALS } from "../servers/servers.js";
import type { GetJob, Job, ObjectPeer, PutJob } from "./job.js";

/** Our client as one more peer, in this process. */
export function startOurs(): ObjectPeer {
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
    return await answerOf(() => (job.op === "put" ? put(client, job) : get(client, job)));
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
