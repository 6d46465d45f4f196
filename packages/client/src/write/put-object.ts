import type {
  CompleteMultipartUploadCommandOutput,
  PutObjectCommandInput,
  PutObjectCommandOutput,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { callOptionsOf } from "../call-options.js";
import { withoutCiphertextChecksums } from "../ciphertext-checksums.js";
import { instructionFilePut } from "../instruction-files.js";
import type { ResolvedOptions } from "../options.js";
import { requestAborted } from "../request-aborted.js";
import { quiet, readableOf } from "../streams.js";
import { BUFFERED_LENGTH, chunksOf, readHead } from "./ciphertext-head.js";
import { type SealedObject, sealObject } from "./seal-object.js";

/** S3's limit for one request. */
const MAX_PUT_LENGTH = 5 * 1024 ** 3;

type Result = { output: PutObjectCommandOutput; response: unknown };
type Next = (input: PutObjectCommandInput) => Promise<Result>;

/** Stores a sealed object in parts. */
export type LargeUpload = (
  sealed: SealedObject,
  signal: AbortSignal | undefined,
) => Promise<CompleteMultipartUploadCommandOutput>;

/** How to store what one request cannot; gives undefined where that is not installed. */
export type LargeUploadLoader = () => Promise<LargeUpload | undefined>;

/** Encrypts a `PutObjectCommand` and sends it, its instruction files first. */
export async function putObject(
  options: ResolvedOptions,
  given: PutObjectCommandInput,
  next: Next,
  loadLargeUpload: LargeUploadLoader | undefined,
): Promise<Result> {
  const sealed = await sealObject(options, given);
  try {
    const { abortSignal } = callOptionsOf(given);
    const head = await unlessAborted(readHead(sealed), abortSignal);
    const ciphertext = chunksOf(head, sealed);
    const isWhole = head.whole !== undefined;
    const tooLarge = !isWhole && (sealed.length ?? Number.POSITIVE_INFINITY) > MAX_PUT_LENGTH;
    // In parts, the instruction files can wait until the whole body went well; in one request they have to go first, and
    // a body that then breaks off leaves the object that was there with a file that does not open it.
    if (tooLarge || (!isWhole && sealed.instructionFiles.length > 0)) {
      const upload = await loadLargeUpload?.();
      if (upload === undefined && tooLarge) throw partsNeeded(sealed.length);
      if (upload !== undefined) {
        const stored = await upload({ ...sealed, ciphertext }, abortSignal);
        return { output: outputOfPut(stored), response: undefined };
      }
    }
    for (const file of sealed.instructionFiles) {
      refusePresigned((await next(instructionFilePut(sealed.input, file))).output);
    }
    const body = head.whole ?? readableOf(ciphertext, sealed.destroy);
    const length = head.whole?.length ?? sealed.length;
    // It may fail before it is sent; whoever sends it is told by reading it.
    quiet(body);
    const result = await next({ ...sealed.input, Body: body, ContentLength: length });
    refusePresigned(result.output);
    return { ...result, output: withoutCiphertextChecksums(result.output) };
  } finally {
    // Not awaited: a source that yields nothing any more would keep the answer from its caller.
    sealed.destroy();
    sealed.ciphertext.return(undefined).catch(() => {});
  }
}

/** Reading a body has no end of its own when its source stalls. */
async function unlessAborted<T>(reading: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return reading;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(requestAborted());
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([reading, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    reading.catch(() => {});
  }
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

/** What a `PutObjectCommand` would have answered, from what the completion of several requests did. */
function outputOfPut(output: CompleteMultipartUploadCommandOutput): PutObjectCommandOutput {
  const { Bucket, Key, Location, ...rest } = output;
  return withoutCiphertextChecksums(rest);
}

function partsNeeded(length: number | undefined): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    length === undefined
      ? `A stream of unknown length above ${BUFFERED_LENGTH} bytes needs several requests: pass ContentLength; or install @aws-sdk/lib-storage and send it with S3EncryptionClient or EncryptedUpload.`
      : `${length} bytes are more than one request may hold: install @aws-sdk/lib-storage and send them with S3EncryptionClient or EncryptedUpload.`,
  );
}
