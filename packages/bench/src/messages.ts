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
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { DefaultMaterialsManager, stringMap } from "@s3ec/materials";
import { contest, type Run } from "./contest.js";
import { megabytesPerSecond, ratio, type Table } from "./report.js";
import { GiB, KiB, MiB, type Setting, type Sizes, sizeName } from "./setting.js";
import { drain } from "./streams.js";

/** Sockets give pieces of 64 KiB at most; files are read, and ranges handed on, in pieces of 256 KiB. */
const SHAPES = [
  { frameLength: 64 * KiB, pieceLength: 64 * KiB },
  { frameLength: 64 * KiB, pieceLength: 256 * KiB },
  { frameLength: 4 * KiB, pieceLength: 64 * KiB },
];
/** What AES-256-GCM alone is measured in, whatever pieces the bytes come in: no others are faster. */
const RAW_PIECE = 64 * KiB;

/** Messages in memory, without S3: ours and the AWS Encryption SDK's against AES-256-GCM alone, in one run. */
export async function messageTable({ sizes }: Setting): Promise<Table> {
  const length = messageLength(sizes);
  const rows: string[][] = [];
  for (const { frameLength, pieceLength } of SHAPES) {
    const plaintext = Array<Uint8Array>(length / pieceLength).fill(randomBytes(pieceLength));
    const ours = ourMessages(frameLength);
    const theirs = theirMessages(frameLength);
    const message = await cut(await ours.encrypt(each(plaintext), length), pieceLength);
    const theirMessage = await cut(piped(theirs.encryptStream(), each(plaintext)), pieceLength);
    const encryption = await contest(sizes.rounds, {
      raw: async () => rawEncryption(plaintext),
      ours: async () => readThrough(await ours.encrypt(each(plaintext), length)),
      theirs: () => readThrough(piped(theirs.encryptStream(), each(plaintext))),
    });
    const decryption = await contest(sizes.rounds, {
      raw: async () => rawDecryption(message),
      ours: async () => drain(await ours.decrypt(message), length),
      theirs: () => drain(piped(theirs.decryptStream(), each(theirMessage)), length),
    });
    const shape = `frames of ${sizeName(frameLength)}, pieces of ${sizeName(pieceLength)}`;
    rows.push(rowOf(`encrypt, ${shape}`, length, encryption));
    rows.push(rowOf(`decrypt, ${shape}`, length, decryption));
  }
  return {
    title: `Messages of the AWS Encryption SDK: ${sizeName(length)} in memory`,
    columns: ["", "AES-256-GCM alone", "ours", "ratio", "CPU ratio", "`@aws-crypto/client-node`", "ours to it"],
    rows,
    note: "AES-256-GCM alone is one cipher of `node:crypto` over the same bytes. A ratio of 1 is as fast as that. Nothing is signed.",
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

function rawEncryption(plaintext: readonly Uint8Array[]): Buffer {
  const cipher = createCipheriv("aes-256-gcm", randomBytes(32), randomBytes(12), { authTagLength: 16 });
  for (const piece of rawPieces(plaintext)) cipher.update(piece);
  cipher.final();
  return cipher.getAuthTag();
}

/** Of the message as if it were one ciphertext: no less work, and only the tag does not fit it. */
function rawDecryption(message: readonly Uint8Array[]): void {
  const decipher = createDecipheriv("aes-256-gcm", randomBytes(32), randomBytes(12), { authTagLength: 16 });
  for (const piece of rawPieces(message)) decipher.update(piece);
}

function* rawPieces(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const piece of pieces) {
    for (let offset = 0; offset < piece.length; offset += RAW_PIECE) yield piece.subarray(offset, offset + RAW_PIECE);
  }
}

function ourMessages(frameLength: number): {
  readonly encrypt: (plaintext: AsyncIterable<Uint8Array>, length: number) => Promise<AsyncIterable<Uint8Array>>;
  readonly decrypt: (message: readonly Uint8Array[]) => Promise<AsyncIterable<Uint8Array>>;
} {
  const format = new AwsMessageFormat({ frameLength });
  const messageKey = { namespace: "bench", name: "key" };
  const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32), messageKey });
  const shared = {
    materialsManager: new DefaultMaterialsManager(keyring),
    commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    encryptionContext: stringMap([]),
  } as const;
  return {
    encrypt: async (plaintext, contentLength) =>
      (await format.seal({ ...shared, plaintext, contentLength })).ciphertext,
    async decrypt([first = new Uint8Array(0), ...rest]) {
      const head = format.readHead(first);
      if (head === null || head === "incomplete") throw new Error("The message has no header.");
      const opened = await format.open({ ...shared, head });
      return opened.decrypt(each([first.subarray(head.length), ...rest]));
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
  return Readable.from(source, { objectMode: false, highWaterMark: RAW_PIECE }).pipe(stream);
}

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function readThrough(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

/** As they would arrive: in pieces of one length, wherever the message's own parts end. */
async function cut(message: AsyncIterable<Uint8Array>, pieceLength: number): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  return Array.from({ length: Math.ceil(whole.length / pieceLength) }, (_, index) =>
    whole.subarray(index * pieceLength, (index + 1) * pieceLength),
  );
}
