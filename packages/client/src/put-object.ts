import type { PutObjectCommandInput, PutObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { readableOf } from "./body.js";
import { instructionFilePut } from "./instruction-files.js";
import type { ResolvedOptions } from "./options.js";
import { type SealedObject, sealObject } from "./seal-object.js";

/** Ciphertext up to this many bytes is buffered, so that the SDK can retry it; it never retries a stream. */
export const RETRYABLE_LENGTH: number = 8 * 1024 * 1024;

type Result = { output: PutObjectCommandOutput; response: unknown };
type Next = (input: PutObjectCommandInput) => Promise<Result>;

/** Stores a ciphertext whose length is not known and does not fit one retryable request. */
export type LargeUpload = (
  input: PutObjectCommandInput,
  ciphertext: AsyncIterable<Uint8Array>,
) => Promise<PutObjectCommandOutput>;

/** Encrypts a `PutObjectCommand` and sends it, its instruction files first. */
export async function putObject(
  options: ResolvedOptions,
  given: PutObjectCommandInput,
  next: Next,
  uploadLarge: LargeUpload | undefined,
): Promise<Result> {
  const sealed = await sealObject(options, given);
  try {
    const head = await readHead(sealed);
    if (!head.whole && sealed.length === undefined && uploadLarge === undefined) throw lengthNeeded();
    for (const file of sealed.instructionFiles) {
      refusePresigned((await next(instructionFilePut(sealed.input, file))).output);
    }
    if (!head.whole && sealed.length === undefined && uploadLarge !== undefined) {
      return { output: await uploadLarge(sealed.input, chunksOf(head, sealed)), response: undefined };
    }
    const body = head.whole ? Buffer.concat(head.chunks) : readableOf(chunksOf(head, sealed), sealed.destroy);
    const length = head.whole ? head.length : sealed.length;
    const result = await next({ ...sealed.input, Body: body, ContentLength: length });
    refusePresigned(result.output);
    return { ...result, output: withoutCiphertextChecksums(result.output) };
  } finally {
    await sealed.ciphertext.return(undefined);
    sealed.destroy();
  }
}

interface Head {
  readonly chunks: Uint8Array[];
  readonly length: number;
  readonly whole: boolean;
}

/** Reads ahead as far as a body may be buffered; a body that is known to be longer is not read at all. */
async function readHead({ ciphertext, length }: SealedObject): Promise<Head> {
  const chunks: Uint8Array[] = [];
  let read = 0;
  if (length !== undefined && length > RETRYABLE_LENGTH) return { chunks, length: 0, whole: false };
  while (read <= RETRYABLE_LENGTH) {
    const { done, value } = await ciphertext.next();
    if (done === true) return { chunks, length: read, whole: true };
    chunks.push(value);
    read += value.length;
  }
  return { chunks, length: read, whole: false };
}

async function* chunksOf(head: Head, { ciphertext }: SealedObject): AsyncGenerator<Uint8Array> {
  yield* head.chunks;
  yield* ciphertext;
}

/** A presigned put would let its holder store plaintext under an encrypted object's metadata. */
function refusePresigned(output: object): void {
  if ("presigned" in output) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "An encrypted put cannot be presigned: whoever holds the URL would store plaintext. Send the command instead.",
    );
  }
}

/** What S3 computed is about the ciphertext and would not match the caller's body; the ETag stays, as an opaque version. */
export function withoutCiphertextChecksums<Output extends object>(output: Output): Output {
  const entries = Object.entries(output).filter(([name]) => !name.startsWith("Checksum"));
  return Object.fromEntries(entries) as Output;
}

function lengthNeeded(): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    `A stream of unknown length above ${RETRYABLE_LENGTH} bytes needs several requests: pass ContentLength, or use EncryptedUpload.`,
  );
}
