// Writes test-vectors/messages anew, with the SDKs of this package's peers and moto: see this package's README.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DecryptCommand, KMSClient } from "@aws-sdk/client-kms";
import type { KmsAnswer, MessageVector, MessageWriter, ReadableMessage, RefusedMessage } from "@s3ec/test-vectors";
import { isCommitted } from "./messages/message-expectations.js";
import { type MessagePeer, OFFICIAL_MESSAGE_CLIENTS, type OfficialMessageClient } from "./messages/message-job.js";
import { type MessageSurroundings, writingOf } from "./messages/message-matrix.js";
import { startMessagePeer } from "./messages/message-peer.js";
import { prepareMessages } from "./messages/message-surroundings.js";
import {
  MESSAGE_CONTEXTS,
  type MessageKeyringName,
  MULTI_MEMBERS,
  readsWith,
  type WrittenMessage,
} from "./messages/written-message.js";
import { plaintext, sha256 } from "./peers/plaintext.js";
import { CREDENTIALS, startKms } from "./servers/servers.js";
import { DAMAGES } from "./vectors/message-damages.js";
import { contextOf, layoutOf } from "./vectors/message-layout.js";
import { messagesForVectors, suiteName, vectorId } from "./vectors/message-recipes.js";

const PACKAGE = fileURLToPath(new URL("../../../test-vectors/", import.meta.url));

const WRITERS: Readonly<Record<string, MessageWriter>> = {
  "esdk-python": { client: "aws-encryption-sdk", language: "python", version: "4.0.7" },
  "esdk-java": { client: "aws-encryption-sdk-java", language: "java", version: "3.0.2" },
  "esdk-javascript": { client: "@aws-crypto/client-node", language: "javascript", version: "5.0.2" },
};

const kms = await startKms();
const peers: (readonly [OfficialMessageClient, MessagePeer])[] = [];
const folder = await mkdtemp(join(tmpdir(), "s3ec-vectors-"));
try {
  for (const name of OFFICIAL_MESSAGE_CLIENTS) peers.push([name, await startMessagePeer(name)]);
  await makeVectors(await prepareMessages(kms, folder));
} finally {
  await Promise.all([kms, ...peers.map(([, peer]) => peer)].map((each) => each.close()));
  await rm(folder, { recursive: true, force: true });
}

async function makeVectors(surroundings: MessageSurroundings): Promise<void> {
  await rm(join(PACKAGE, "messages/files"), { recursive: true, force: true });
  await mkdir(join(PACKAGE, "messages/files"), { recursive: true });
  const vectors: MessageVector[] = [];
  for (const [index, message] of messagesForVectors().entries()) {
    const intact = await intactVector(message, index + 1, surroundings);
    vectors.push(intact, ...(await damagedVectors(intact, message, surroundings)));
  }
  const unknown = Object.keys(DAMAGES).filter((id) => !vectors.some((vector) => vector.id === id));
  if (unknown.length > 0) throw new Error(`No such messages to damage: ${unknown.join(", ")}.`);
  const keyrings = Object.entries(surroundings.keyrings).flatMap(([name, keyring]) => {
    if (keyring.type === "multi") return [];
    const { key, ...rest } = { key: undefined, ...keyring };
    return [[name, key === undefined ? rest : { ...rest, base64: key }]];
  });
  await writeJson("messages/keyrings.json", `${JSON.stringify(Object.fromEntries(keyrings), null, 2)}\n`);
  await writeJson("messages/manifest.json", `[\n${vectors.map((vector) => JSON.stringify(vector)).join(",\n")}\n]\n`);
  console.log(`${vectors.length} messages.`);
}

async function intactVector(
  message: WrittenMessage,
  seed: number,
  surroundings: MessageSurroundings,
): Promise<ReadableMessage> {
  const { kms, keyrings, folder } = surroundings;
  const id = vectorId(message);
  const file = join(folder, `${id}.bin`);
  const writer = peers.find(([name]) => name === message.writer);
  const answer = await writer?.[1].run(writingOf(message, surroundings, file, seed));
  if (answer?.ok !== true) throw new Error(`${id} cannot be written: ${JSON.stringify(answer)}`);
  const bytes = await readFile(file);
  const vector: ReadableMessage = {
    id,
    writer: writerOf(message.writer),
    keyrings: keyringsOf(message),
    suite: `0x${suiteName(message.suite)}`,
    frameLength: message.frameLength,
    encryptionContext: MESSAGE_CONTEXTS[message.context],
    message: await store(id, bytes),
    plaintext: { seed, length: message.size, sha256: sha256(plaintext(seed, message.size)) },
    ...(await kmsAnswer(bytes, kms)),
    switches: isCommitted(message.suite) ? [] : ["allow-non-committing"],
    ...(message.keyring === "rsa-pkcs1" ? { requires: "rsa-pkcs1" as const } : {}),
  };
  const readers = peers.filter(([name]) => readsWith(name, message.keyring));
  const openers = await whoOpens(vector, keyringsOf(message), { kms, keyrings });
  if (openers.length !== readers.length) throw new Error(`${id} is opened by ${openers.join(", ")} only.`);
  return vector;
}

async function damagedVectors(
  intact: ReadableMessage,
  message: WrittenMessage,
  surroundings: MessageSurroundings,
): Promise<MessageVector[]> {
  const bytes = await readFile(join(PACKAGE, intact.message.file));
  const layout = layoutOf(bytes);
  const vectors: MessageVector[] = [];
  for (const { name, failure, why, apply } of DAMAGES[intact.id] ?? []) {
    const id = `${intact.id}-${name}`;
    const { switches: _, requires: __, ...stored } = intact;
    const refused: RefusedMessage = {
      ...stored,
      id,
      message: await store(id, apply(bytes, layout)),
      expect: "refuse",
      madeFrom: intact.id,
      failure,
      why,
    };
    const openers = await whoOpens(refused, keyringsOf(message), surroundings);
    const openedBy = openers.map((opener) => writerOf(opener).language);
    vectors.push({ ...refused, ...(openedBy.length === 0 ? {} : { openedBy }) });
  }
  return vectors;
}

/** The clients that get the plaintext with every keyring; an error when one gets something else. */
async function whoOpens(
  { id, message, plaintext, expect, encryptionContext: written }: MessageVector,
  names: readonly MessageKeyringName[],
  { kms, keyrings }: Pick<MessageSurroundings, "kms" | "keyrings">,
): Promise<OfficialMessageClient[]> {
  // A reader that demands the context refuses a damaged one before it looks at what else is wrong.
  const encryptionContext = expect === "refuse" ? {} : written;
  const openers: OfficialMessageClient[] = [];
  for (const [client, peer] of peers) {
    const answers = await Promise.all(
      names.map((name) => {
        const file = join(PACKAGE, message.file);
        return peer.run({
          op: "decrypt",
          kms,
          keyring: keyrings[name],
          policy: "require-allow",
          encryptionContext,
          file,
        });
      }),
    );
    if (answers.some((answer) => answer.ok && answer.sha256 !== plaintext.sha256)) {
      throw new Error(`${client} opens ${id} and gets something else.`);
    }
    if (answers.every(({ ok }) => ok)) openers.push(client);
  }
  return openers;
}

function keyringsOf({ keyring }: WrittenMessage): MessageKeyringName[] {
  return keyring === "multi" ? [...MULTI_MEMBERS] : [keyring];
}

/** Asks KMS for what a reader of the message will ask it, so that the vector needs no KMS. */
async function kmsAnswer(bytes: Buffer, endpoint: { endpoint: string; region: string }): Promise<{ kms?: KmsAnswer }> {
  const layout = layoutOf(bytes);
  const text = ({ start, end }: { start: number; end: number }): string => bytes.toString("utf8", start, end);
  const wrapped = layout.wrappedKeys.find(({ providerId }) => text(providerId) === "aws-kms");
  if (wrapped === undefined) return {};
  const ciphertextBlob = bytes.subarray(wrapped.ciphertext.start, wrapped.ciphertext.end);
  const encryptionContext = contextOf(bytes, layout);
  const keyArn = text(wrapped.providerInfo);
  const client = new KMSClient({ ...endpoint, credentials: CREDENTIALS });
  try {
    const question = { CiphertextBlob: ciphertextBlob, EncryptionContext: encryptionContext, KeyId: keyArn };
    const { Plaintext } = await client.send(new DecryptCommand(question));
    if (Plaintext === undefined) throw new Error("KMS gave no data key.");
    const plaintextDataKey = Buffer.from(Plaintext).toString("base64");
    return { kms: { ciphertextBlob: ciphertextBlob.toString("base64"), encryptionContext, keyArn, plaintextDataKey } };
  } finally {
    client.destroy();
  }
}

async function store(id: string, bytes: Buffer): Promise<MessageVector["message"]> {
  const file = `messages/files/${id}.bin`;
  await writeFile(join(PACKAGE, file), bytes);
  return { file, length: bytes.length, sha256: sha256(bytes) };
}

function writeJson(name: string, text: string): Promise<void> {
  return writeFile(join(PACKAGE, name), text);
}

function writerOf(name: string): MessageWriter {
  const writer = WRITERS[name];
  if (writer === undefined) throw new Error(`No vector is made by ${name}.`);
  return writer;
}
