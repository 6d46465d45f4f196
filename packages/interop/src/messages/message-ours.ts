import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { KMSClient } from "@aws-sdk/client-kms";
import { AwsMessageFormat, COMMITTED_SIGNED } from "@s3ec/format-aws-message";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { MultiKeyring } from "@s3ec/keyring-multi";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { type OaepHash, RawRsaKeyring } from "@s3ec/keyring-raw-rsa";
import { DefaultMaterialsManager, type Keyring, S3EncryptionError } from "@s3ec/materials";
import { type Answer, answerOf } from "../peers/answer.js";
import { plaintext } from "../peers/plaintext.js";
import { CREDENTIALS } from "../servers/servers.js";
import type { MessageJob, MessageKeyring, MessagePeer } from "./message-job.js";

const POLICIES = {
  "forbid-allow": "FORBID_ENCRYPT_ALLOW_DECRYPT",
  "require-allow": "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
  "require-require": "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
} as const;

/** Our messages as one more peer, in this process. */
export function startMessageOurs(): MessagePeer {
  const run = async (job: MessageJob): Promise<Answer> => {
    const kms = new KMSClient({ ...job.kms, credentials: CREDENTIALS });
    try {
      return await answerOf(() => {
        const materialsManager = new DefaultMaterialsManager(keyringOf(job.keyring, kms));
        return job.op === "encrypt" ? write(job, materialsManager) : read(job, materialsManager);
      });
    } finally {
      kms.destroy();
    }
  };
  return { clients: ["ours"], run, close: () => Promise.resolve() };
}

function keyringOf(keyring: MessageKeyring, kms: KMSClient): Keyring {
  switch (keyring.type) {
    case "aes":
      return new RawAesKeyring({ wrappingKey: Buffer.from(keyring.key, "base64"), messageKey: nameOf(keyring) });
    case "rsa":
      return new RawRsaKeyring({
        privateKey: keyring.privateKey,
        messageKey: nameOf(keyring),
        oaepHash: keyring.padding.replace("oaep-", "") as OaepHash,
      });
    case "kms":
      return new KmsKeyring({ keyId: keyring.keyId, client: kms });
    case "multi": {
      const [generator, ...children] = keyring.members.map((member) => keyringOf(member, kms));
      if (generator === undefined) throw new Error("A multi-keyring has members.");
      return new MultiKeyring({ generator, children: children.map((child) => ({ keyring: child })) });
    }
  }
}

function nameOf({ namespace, name }: { readonly namespace: string; readonly name: string }) {
  return { namespace, name };
}

type Writing = Extract<MessageJob, { op: "encrypt" }>;
type Reading = Extract<MessageJob, { op: "decrypt" }>;

async function write(job: Writing, materialsManager: DefaultMaterialsManager): Promise<Uint8Array> {
  const body = plaintext(job.body.seed, job.body.length);
  const format = new AwsMessageFormat({ frameLength: job.frameLength, signed: job.suite === COMMITTED_SIGNED.id });
  const { ciphertext, length } = await format.seal({
    materialsManager,
    commitmentPolicy: POLICIES[job.policy],
    encryptionContext: job.encryptionContext,
    plaintext: once(body),
    contentLength: body.length,
  });
  const message = await bytesOf(ciphertext);
  if (length !== undefined && length !== message.length) throw new Error("It has not the length it was said to have.");
  await writeFile(job.file, message);
  return body;
}

async function read(job: Reading, materialsManager: DefaultMaterialsManager): Promise<Uint8Array> {
  const format = new AwsMessageFormat();
  const stored = createReadStream(job.file, { highWaterMark: job.streamed ?? 64 * 1024 });
  try {
    const source: AsyncIterator<Buffer> = stored[Symbol.asyncIterator]();
    let start: Uint8Array = new Uint8Array(0);
    let header = format.readHead(start);
    while (header === "incomplete") {
      const { done, value } = await source.next();
      if (done === true) break;
      start = Buffer.concat([start, value]);
      header = format.readHead(start);
    }
    if (header === null || header === "incomplete") throw new S3EncryptionError("not-encrypted", "It is no message.");
    const opened = await format.open({
      head: header,
      materialsManager,
      commitmentPolicy: POLICIES[job.policy],
      encryptionContext: job.encryptionContext,
    });
    return await bytesOf(opened.decrypt(behind(start.subarray(header.length), source)));
  } finally {
    stored.destroy();
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* behind(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield start;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
