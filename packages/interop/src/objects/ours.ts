import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { rewrapObject, S3EncryptionClient } from "@s3ec/client";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import type { Keyring, StringMap } from "@s3ec/materials";
import { type Answer, answerOf } from "../peers/answer.js";
import { plaintext } from "../peers/plaintext.js";
import { CREDENTIALS } from "../servers/servers.js";
import type { GetJob, Job, KeyringJob, ObjectPeer, PutJob, RewrapJob } from "./job.js";
import { storedKey } from "./surroundings.js";

/** Our client as one more peer, in this process. */
export function startOurs(): ObjectPeer {
  const run = async (job: Job): Promise<Answer> => {
    const kms = new KMSClient({ ...job.kms, credentials: CREDENTIALS });
    const target =
      job.op === "rewrap" ? await wrappingWith(job.to.keyring, kms, job.to.materialDescription) : undefined;
    try {
      return await runOurs(job, () => keyringOf(job, kms), target);
    } finally {
      kms.destroy();
    }
  };
  return { clients: ["ours"], run, close: () => Promise.resolve() };
}

/**
 * Runs a job by our client with a keyring of the job's key, wherever that is.
 * @param openKeyring what it refuses is an answer too, like what the client refuses.
 */
export function runOurs(job: Job, openKeyring: () => Keyring | Promise<Keyring>, target?: Keyring): Promise<Answer> {
  return answerOf(async () => {
    const client = new S3EncryptionClient({
      ...job.s3,
      credentials: CREDENTIALS,
      forcePathStyle: true,
      encryption: {
        keyring: await openKeyring(),
        ...(job.op === "put" ? writing(job) : reading(job)),
      },
    });
    try {
      if (job.op === "rewrap") return await rewrap(client, job, target);
      return await (job.op === "put" ? put(client, job) : get(client, job));
    } finally {
      client.destroy();
    }
  });
}

async function keyringOf(job: Job, kms: KMSClient): Promise<Keyring> {
  if (job.op === "get") return wrappingWith(job.keyring, kms, {}, job.acceptGcmForCbc);
  if (job.op === "rewrap" || job.child === undefined) return wrappingWith(job.keyring, kms);
  const generator = await wrappingWith(job.keyring, kms, job.materialDescription);
  const { keyring, materialDescription, instructionFileSuffix } = job.child;
  const child = new RawRsaKeyring({ publicKey: Buffer.from(keyring.publicKey, "base64"), materialDescription });
  return new MultiKeyring({ generator, children: [{ keyring: child, instructionFileSuffix }] });
}

async function wrappingWith(
  keyring: KeyringJob,
  kms: KMSClient,
  materialDescription: StringMap = {},
  enableCbcRewrapBoundToGcm = false,
): Promise<Keyring> {
  const raw = { materialDescription, enableCbcRewrapBoundToGcm };
  switch (keyring.type) {
    case "aes": {
      const { key, store } = keyring;
      const wrappingKey = store === undefined ? Buffer.from(key, "base64") : await storedKey(store, "aes");
      return new RawAesKeyring({ ...raw, wrappingKey });
    }
    case "rsa": {
      const { privateKey: der, store } = keyring;
      const privateKey = store === undefined ? Buffer.from(der, "base64") : await storedKey(store, "rsa-private");
      return new RawRsaKeyring({ ...raw, privateKey });
    }
    case "kms":
      return new KmsKeyring({ keyId: keyring.keyId, client: kms });
  }
}

function writing(job: PutJob) {
  const inFile = job.placement === "instruction-file";
  return {
    commitmentPolicy: job.suite === "gcm" ? "FORBID_ENCRYPT_ALLOW_DECRYPT" : "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    ...(job.child === undefined
      ? { instructionFileConfig: { enableInstructionFilePutObject: inFile } }
      : ({ wrapPlacement: inFile ? "instruction-files" : "metadata", enableUncommittedChildren: true } as const)),
  } as const;
}

function reading(job: GetJob | RewrapJob) {
  return {
    commitmentPolicy: job.legacy ? "REQUIRE_ENCRYPT_ALLOW_DECRYPT" : "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    enableLegacyWrappingAlgorithms: job.legacy,
    enableLegacyUnauthenticatedModes: job.legacy,
    enableDelayedAuthenticationMode: job.op === "get" && job.delayedAuthentication,
  } as const;
}

/** The caller's entries; a `kms` wrap's description is not for a reader to pass, and each of several keys has its own. */
function callOptions(job: Job) {
  const { encryptionContext, materialDescription, instructionFileSuffix, keyring } = job;
  const describesOneKey = keyring.type !== "kms" && !(job.op === "put" && job.child !== undefined);
  return {
    ...(encryptionContext === undefined ? {} : { encryptionContext }),
    ...(materialDescription !== undefined && describesOneKey ? { materialDescription } : {}),
    ...(instructionFileSuffix === undefined ? {} : { instructionFileSuffix }),
  };
}

async function put(client: S3EncryptionClient, job: PutJob): Promise<Uint8Array> {
  const body = plaintext(job.body.seed, job.body.length);
  await client.send(new PutObjectCommand({ Bucket: job.bucket, Key: job.key, Body: body }), callOptions(job));
  return body;
}

/** As the owner of both keys: of CBC no other gets a data key. versitygw keeps the time of a change by the second, too. */
async function rewrap(client: S3EncryptionClient, job: RewrapJob, keyring: Keyring | undefined): Promise<Uint8Array> {
  const { encryptionContext, instructionFileSuffix } = job.to;
  if (keyring === undefined) throw new Error("This peer re-wraps nothing.");
  await rewrapObject(client, {
    Bucket: job.bucket,
    Key: job.key,
    ...callOptions(job),
    to: {
      keyring,
      encryptionContext: encryptionContext ?? {},
      ...(instructionFileSuffix === undefined ? {} : { instructionFileSuffix }),
    },
    owner: job.suite === "cbc" ? "same" : "another",
    decryptHere: true,
    enforceRotation: job.enforceRotation,
    settleTime: 0,
  });
  return new Uint8Array(0);
}

async function get(client: S3EncryptionClient, job: GetJob): Promise<Uint8Array> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: job.bucket, Key: job.key }), callOptions(job));
  if (Body === undefined) throw new Error("There is no body.");
  return Body.transformToByteArray();
}
