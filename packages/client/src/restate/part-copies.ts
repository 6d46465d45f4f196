import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  type CompleteMultipartUploadCommandOutput,
  type CopyObjectCommandInput,
  type CopyObjectCommandOutput,
  CreateMultipartUploadCommand,
  type HeadObjectCommandOutput,
  type S3Client,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { type Attempts, watched } from "../write/attempts.js";
import { requireCompleted } from "../write/confirmed.js";
import { patient } from "../write/patience.js";
import type { KeepOptions } from "./kept-object.js";

/** Bytes: S3's limit for a copy in one request, and for one part. */
const MAX_COPY_LENGTH: number = 5 * 1024 ** 3;
const PART_LENGTH = 512 * 1024 ** 2;
const MIN_PART_LENGTH = 5 * 1024 ** 2;
const MAX_PARTS = 10_000;
/** Milliseconds that a store has to remove the parts. */
const ABORTING_TIMEOUT = 30_000;
/** Parts that are copied at the same time. */
const CONCURRENCY = 4;

/** A copy that is too large for one request. */
export interface PartwiseCopy {
  /** What a copy in one request would be told, with source, metadata, tags and all headers: nothing is taken along here. */
  readonly input: CopyObjectCommandInput;
  /** The source, as it was seen. */
  readonly head: HeadObjectCommandOutput;
  /** Bytes of the largest part. Default: 512 MiB, or more for more than 10,000 parts. */
  readonly partLength?: number | undefined;
  /** Conditions on the target, which only the completion checks. */
  readonly conditions: Pick<CompleteMultipartUploadCommandInput, "IfMatch" | "IfNoneMatch">;
  /** What became of the completion, whose answer may get lost. */
  readonly attempts: Attempts;
  /** Looked at just before the completion: whether nothing was changed meanwhile. */
  readonly beforeComplete?: () => Promise<void>;
  readonly abortSignal?: AbortSignal | undefined;
}

/**
 * Copies an object in parts, each of the object with the source's entity tag and no other. The parts are as many as give the
 * copy another tag. Whatever fails, the upload is aborted.
 *
 * @param client one that does not encrypt
 */
export async function copyInParts(client: S3Client, copy: PartwiseCopy): Promise<CompleteMultipartUploadCommandOutput> {
  const { input, head, conditions, attempts, abortSignal } = copy;
  const request = abortSignal === undefined ? {} : { abortSignal };
  const { Bucket, Key, RequestPayer, ExpectedBucketOwner } = input;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(uploadOf(input, head)), request);
  const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = input;
  const upload = { Bucket, Key, UploadId, RequestPayer, ExpectedBucketOwner };
  const withKey = { ...upload, SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
  try {
    const Parts = await copiedParts(client, copy, withKey);
    await copy.beforeComplete?.();
    const complete = { ...withKey, ...conditions, MultipartUpload: { Parts } };
    const patience = abortSignal === undefined ? {} : { abortSignal: patient(abortSignal) };
    const output = await client.send(new CompleteMultipartUploadCommand(watched(complete, attempts)), patience);
    requireCompleted(output, upload);
    return output;
  } catch (error) {
    // Whichever comes first, this or a completion without an answer, is whole.
    const limit = { abortSignal: AbortSignal.timeout(ABORTING_TIMEOUT) };
    await client.send(new AbortMultipartUploadCommand(upload), limit).catch(() => {});
    throw error;
  }
}

/** What a copy in one request would have answered. */
export function answerOfParts(output: CompleteMultipartUploadCommandOutput): CopyObjectCommandOutput {
  const { Bucket, Key, Location, ETag, Expiration, VersionId, RequestCharged, $metadata, ...rest } = output;
  const { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, ...checksums } = rest;
  const encrypted = { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled };
  return { CopyObjectResult: { ETag, ...checksums }, Expiration, VersionId, RequestCharged, ...encrypted, $metadata };
}

/** The parts' lengths. Their number differs from that of the source's, so that the tag of the copy does. */
export function partLengths(
  { ContentLength = 0, ETag = "" }: HeadObjectCommandOutput,
  partLength: number = PART_LENGTH,
): readonly number[] {
  const usual = Math.max(partLength, Math.ceil(ContentLength / MAX_PARTS), MIN_PART_LENGTH);
  const count = Math.ceil(ContentLength / usual);
  const isAsMany = count === Number(/-(\d+)"?$/.exec(ETag)?.[1]);
  const shorter = Math.ceil(ContentLength / (count + 1));
  const another = shorter >= MIN_PART_LENGTH && count < MAX_PARTS ? shorter : Math.ceil(ContentLength / (count - 1));
  const length = isAsMany ? another : usual;
  return Array.from({ length: Math.ceil(ContentLength / length) }, (_, index) =>
    Math.min(length, ContentLength - index * length),
  );
}

type UploadedTo = Pick<
  CompleteMultipartUploadCommandInput,
  "Bucket" | "Key" | "UploadId" | "RequestPayer" | "SSECustomerAlgorithm" | "SSECustomerKey" | "SSECustomerKeyMD5"
>;

async function copiedParts(client: S3Client, copy: PartwiseCopy, upload: UploadedTo): Promise<CompletedPart[]> {
  const { input, head, partLength, abortSignal } = copy;
  const { CopySource, CopySourceSSECustomerAlgorithm, CopySourceSSECustomerKey, CopySourceSSECustomerKeyMD5 } = input;
  const source = {
    CopySource,
    CopySourceIfMatch: head.ETag,
    ExpectedSourceBucketOwner: input.ExpectedSourceBucketOwner,
    CopySourceSSECustomerAlgorithm,
    CopySourceSSECustomerKey,
    CopySourceSSECustomerKeyMD5,
  };
  const lengths = partLengths(head, partLength);
  const parts: CompletedPart[] = [];
  const failed = new AbortController();
  const signals = [failed.signal, ...(abortSignal === undefined ? [] : [abortSignal])];
  const request = { abortSignal: AbortSignal.any(signals) };
  let next = 0;
  const copyNext = async (): Promise<void> => {
    for (let index = next++; index < lengths.length; index = next++) {
      const start = index * (lengths[0] ?? 0);
      const CopySourceRange = `bytes=${start}-${start + (lengths[index] ?? 0) - 1}`;
      const part = { ...upload, ...source, PartNumber: index + 1, CopySourceRange };
      const { CopyPartResult = {} } = await client.send(new UploadPartCopyCommand(part), request);
      const { LastModified, ...tags } = CopyPartResult;
      parts[index] = { PartNumber: index + 1, ...tags };
    }
  };
  const workers = Array.from({ length: Math.min(CONCURRENCY, lengths.length) }, () =>
    copyNext().catch((error: unknown) => {
      failed.abort();
      throw error;
    }),
  );
  // All have to be over before the upload may be aborted, or parts of it would stay.
  const outcomes = await Promise.allSettled(workers);
  const reasons = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  const first: unknown = reasons.find((reason) => !(failed.signal.aborted && isAbortion(reason))) ?? reasons[0];
  if (first !== undefined) throw first;
  return parts;
}

function isAbortion(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "AbortError";
}

/** What a copy says in one request, as the beginning of an upload says it. */
function uploadOf(
  input: CopyObjectCommandInput,
  { ChecksumType }: HeadObjectCommandOutput,
): ConstructorParameters<typeof CreateMultipartUploadCommand>[0] {
  const {
    CopySource,
    CopySourceIfMatch,
    CopySourceIfModifiedSince,
    CopySourceIfNoneMatch,
    CopySourceIfUnmodifiedSince,
    CopySourceSSECustomerAlgorithm,
    CopySourceSSECustomerKey,
    CopySourceSSECustomerKeyMD5,
    ExpectedSourceBucketOwner,
    IfMatch,
    IfNoneMatch,
    MetadataDirective,
    TaggingDirective,
    AnnotationDirective,
    ...described
  } = input;
  // Of the parts together only those of CRC are known.
  const isWhole = ChecksumType === "FULL_OBJECT" && described.ChecksumAlgorithm?.startsWith("CRC") === true;
  return isWhole ? { ...described, ChecksumType } : described;
}

/** Whether it takes parts. Throws `invalid-argument` for a limit that is no number of bytes. */
export function isLarge(
  { ContentLength = 0 }: HeadObjectCommandOutput,
  { copyLimit = MAX_COPY_LENGTH }: Pick<KeepOptions, "copyLimit">,
): boolean {
  if (Number.isSafeInteger(copyLimit) && copyLimit >= MIN_PART_LENGTH && copyLimit <= MAX_COPY_LENGTH)
    return ContentLength > copyLimit;
  throw new S3EncryptionError(
    "invalid-argument",
    `copyLimit must be a number of bytes from ${MIN_PART_LENGTH} to ${MAX_COPY_LENGTH}.`,
  );
}
