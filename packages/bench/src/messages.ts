import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { type Duplex, Readable } from "node:stream";
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from "@aws-crypto/client-node";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { DefaultMaterialsManager, stringMap } from "@s3ec/materials";
import { contest, type Run } from "./contest.js";
import { megabytesPerSecond, ratio, type Table } from "./report.js";
import { GiB, KiB, MiB, type Setting, type Sizes, sizeName } from "./setting.js";
import { drain } from "./streams.js";
import { WrappingKeyring } from "./wrapping-keyring.js";

const PIECE = 64 * KiB;
const FRAMES = [64 * KiB, 4 * KiB];

/** Messages in memory, without S3: ours and the AWS Encryption SDK's against AES-256-GCM alone, in one run. */
export async function messageTable({ sizes }: Setting): Promise<Table> {
  const length = messageLength(sizes);
  const piece = randomBytes(PIECE);
  const rows: string[][] = [];
  for (const frameLength of FRAMES) {
    const ours = ourMessages(frameLength);
    const theirs = theirMessages(frameLength);
    const message = await piecesOf(await ours.encrypt(repeated(piece, length), length));
    const theirMessage = await piecesOf(piped(theirs.encryptStream(), repeated(piece, length)));
    const aes = rawAes(piece, length);
    const encryption = await contest(sizes.rounds, {
      raw: async () => aes.encrypt(),
      ours: async () => readThrough(await ours.encrypt(repeated(piece, length), length)),
      theirs: () => readThrough(piped(theirs.encryptStream(), repeated(piece, length))),
    });
    const decryption = await contest(sizes.rounds, {
      raw: async () => aes.decrypt(),
      ours: async () => drain(await ours.decrypt(message), length),
      theirs: () => drain(piped(theirs.decryptStream(), each(theirMessage)), length),
    });
    rows.push(rowOf(`encrypt, frames of ${sizeName(frameLength)}`, length, encryption));
    rows.push(rowOf(`decrypt, frames of ${sizeName(frameLength)}`, length, decryption));
  }
  return {
    title: `Messages of the AWS Encryption SDK: ${sizeName(length)} in memory, in pieces of 64 KiB`,
    columns: ["", "AES-256-GCM alone", "ours", "ratio", "CPU ratio", "`@aws-crypto/client-node`", "ours to it"],
    rows,
    note: "AES-256-GCM alone is one cipher of `node:crypto` over all pieces. A ratio of 1 is as fast as that. Nothing is signed.",
  };
}

function messageLength({ large }: Sizes): number {
  return Math.min(large, 256 * MiB);
}

function rowOf(name: string, length: number, runs: Readonly<Record<"raw" | "ours" | "theirs", Run>>): string[] {
  const { raw, ours, theirs } = runs;
  const speed = (run: Run): string =>
    `${megabytesPerSecond(length, run.seconds)}, ${((run.cpuSeconds * GiB) / length).toFixed(2)} CPU s/GiB`;
  return [
    name,
    speed(raw),
    speed(ours),
    ratio(raw.seconds / ours.seconds),
    ratio(raw.cpuSeconds / ours.cpuSeconds),
    speed(theirs),
    ratio(theirs.seconds / ours.seconds),
  ];
}

function rawAes(piece: Uint8Array, length: number): { readonly encrypt: () => void; readonly decrypt: () => void } {
  const [key, iv] = [randomBytes(32), randomBytes(12)];
  const pieces = length / piece.length;
  const encrypt = (): Buffer => {
    const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: 16 });
    for (let index = 0; index < pieces; index++) cipher.update(piece);
    cipher.final();
    return cipher.getAuthTag();
  };
  // The same bytes as ciphertext of something: no less work, and only the tag does not fit them.
  const decrypt = (): void => {
    const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: 16 });
    for (let index = 0; index < pieces; index++) decipher.update(piece);
  };
  return { encrypt, decrypt };
}

function ourMessages(frameLength: number): {
  readonly encrypt: (plaintext: AsyncIterable<Uint8Array>, length: number) => Promise<AsyncIterable<Uint8Array>>;
  readonly decrypt: (message: readonly Uint8Array[]) => Promise<AsyncIterable<Uint8Array>>;
} {
  const format = new AwsMessageFormat({ frameLength });
  const shared = {
    materialsManager: new DefaultMaterialsManager(new WrappingKeyring()),
    commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    encryptionContext: stringMap([]),
  } as const;
  return {
    encrypt: async (plaintext, contentLength) =>
      (await format.seal({ ...shared, plaintext, contentLength })).ciphertext,
    async decrypt([first = new Uint8Array(0), ...rest]) {
      const header = format.parseHeader(first);
      if (header === null || header === "incomplete") throw new Error("The message has no header.");
      const opened = await format.open(header, shared);
      return opened.decrypt(each([first.subarray(header.length), ...rest]));
    },
  };
}

function theirMessages(frameLength: number): {
  readonly encryptStream: () => Duplex;
  readonly decryptStream: () => Duplex;
} {
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const keyring = new RawAesKeyringNode({
    keyName: "key",
    keyNamespace: "bench",
    // Memory of its own, which they want.
    unencryptedMasterKey: Uint8Array.from(randomBytes(32)),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
  const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
  return {
    encryptStream: () => client.encryptStream(keyring, { suiteId, frameLength }),
    decryptStream: () => client.decryptStream(keyring),
  };
}

function piped(stream: Duplex, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return Readable.from(source, { objectMode: false, highWaterMark: PIECE }).pipe(stream);
}

async function* repeated(piece: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let given = 0; given < length; given += piece.length) yield piece;
}

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function readThrough(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

/** As they would arrive: in pieces of 64 KiB, wherever the message's own parts end. */
async function piecesOf(message: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  return Array.from({ length: Math.ceil(whole.length / PIECE) }, (_, index) =>
    whole.subarray(index * PIECE, (index + 1) * PIECE),
  );
}
