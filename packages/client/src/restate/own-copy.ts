import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  type CopyObjectCommandOutput,
  type HeadObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { type Along, carriedOver } from "../moving/carried-over.js";
import { requestAborted } from "../request-aborted.js";
import { httpStatusOf, isMissing } from "../s3-errors.js";
import { Attempts, watched } from "../write/attempts.js";
import { requireCopied, UnconfirmedAnswer } from "../write/confirmed.js";
import { patient } from "../write/patience.js";
import { changedMeanwhile, isAnother } from "./changed-meanwhile.js";
import type { KeepOptions } from "./kept-object.js";
import { answerOfParts, copyInParts, isLarge } from "./part-copies.js";
import { lookAt, type SeenObject, type StoredAddress } from "./seen-object.js";
import { checksTarget, settleTimeOf, waited } from "./settled.js";

/** Milliseconds that S3 may take to say what became of a request that has failed. */
const ASKING_TIMEOUT = 30_000;

/** A copy of an object onto itself. */
export interface OwnCopy {
  readonly address: StoredAddress;
  /** The object as it was read: what the copy says of it is this one's. */
  readonly seen: SeenObject;
  /** The copy, with the metadata to store and the target's encryption, without its source; a condition replaces ours. */
  readonly input: Partial<CopyObjectCommandInput>;
  /** Looks once more, before an object that is copied in parts appears, whether what is said again is as it was. */
  readonly beforeComplete?: () => Promise<void>;
  /** Of an object that is copied in parts: bytes of the largest. */
  readonly partLength?: number | undefined;
  /** What of an object that is copied in parts has to be carried over. */
  readonly along: Along;
  /** User metadata that is read back letter for letter, since it is this copy's own: the envelope. */
  readonly own: Readonly<Record<string, string>>;
}

/** A copy onto itself that stands. */
export interface StandingCopy {
  readonly head: HeadObjectCommandOutput;
  /** What S3 answered to the copy; undefined where that was lost. */
  readonly output: CopyObjectCommandOutput | undefined;
}

type Pace = Pick<KeepOptions, "abortSignal" | "checksTarget" | "copyLimit" | "settleTime">;

/**
 * Copies an object onto itself with other metadata, in one request that is refused when the object is another by then: an
 * entity tag does not see metadata, so time is a condition, too, where the store checks one on the target. It is read back,
 * and once more later, since what was prepared before it may have been written behind it.
 *
 * @param client one that does not encrypt
 * @throws S3EncryptionError `content-mismatch` where others changed the object meanwhile: nothing is rolled back;
 *   `outcome-unknown` where no answer came and none can be got; `unsupported-operation` for an object without a tag that
 *   can be a condition; S3's own errors
 */
export async function copyOntoItself(client: S3Client, copy: OwnCopy, pace: Pace): Promise<StandingCopy> {
  const { abortSignal } = pace;
  const settleTime = settleTimeOf(pace);
  const request = abortSignal === undefined ? {} : { abortSignal: patient(abortSignal) };
  const began = performance.now();
  const output = await sendOwnCopy(client, copy, pace, (input, attempts) =>
    client.send(new CopyObjectCommand(watched(input, attempts)), request),
  );
  const took = performance.now() - began;
  await requireOwn(client, copy, output, abortSignal);
  await waited(Math.max(settleTime, settleTime === 0 ? 0 : took), abortSignal);
  return { output, head: await requireOwn(client, copy, output, abortSignal) };
}

/**
 * The one request of that, or, of an object that is too large for one, the upload that ends in one, with its annotations. A lost
 * answer, or the refusal of a second try after one, is no failure when the object is ours by then: the answer is then undefined.
 */
export async function sendOwnCopy(
  client: S3Client,
  copy: OwnCopy,
  pace: Pace,
  send: (input: CopyObjectCommandInput, attempts: Attempts) => Promise<CopyObjectCommandOutput>,
): Promise<CopyObjectCommandOutput | undefined> {
  if (pace.abortSignal?.aborted === true) throw requestAborted();
  if (!isLarge(copy.seen.head, pace)) return (await sendOrLook(client, copy, pace, send)).output;
  const { abortSignal } = pace;
  const carried = { ...copy, head: copy.seen.head, encryption: copy.input };
  const { output } = await carriedOver(client, carried, abortSignal, (look) =>
    sendOrLook(client, copy, pace, (input, attempts) =>
      sendInParts(client, copy, { input, attempts, look, abortSignal }),
    ),
  );
  return output;
}

/** What became of it, as S3 answered or as it is seen. */
interface Sent {
  readonly output: CopyObjectCommandOutput | undefined;
  readonly etag: string;
  readonly version: string | undefined;
}

async function sendOrLook(
  client: S3Client,
  copy: OwnCopy,
  pace: Pace,
  send: (input: CopyObjectCommandInput, attempts: Attempts) => Promise<CopyObjectCommandOutput>,
): Promise<Sent> {
  const attempts = new Attempts();
  const input = {
    ...sourceOfOwn(copy.address),
    ...conditionsOf(copy.seen, pace),
    ...copy.input,
    MetadataDirective: "REPLACE" as const,
  };
  try {
    const output = await send(input, attempts);
    requireCopied(output);
    return { output, etag: output.CopyObjectResult?.ETag ?? "", version: output.VersionId };
  } catch (error) {
    if (!attempts.wereRefused) {
      const abortSignal = AbortSignal.timeout(ASKING_TIMEOUT);
      const now = await lookAt(client, targetOf(copy), { abortSignal }).catch(() => undefined);
      if (now !== undefined && isOwn(now.head, copy.own) && isAnother(copy.seen.head, now.head)) {
        return { output: undefined, etag: now.head.ETag ?? "", version: now.head.VersionId };
      }
      if (now === undefined || attempts.mayStillLand) throw outcomeUnknown(error);
      if (error instanceof UnconfirmedAnswer) throw error.refuted;
    }
    throw isRefusedCondition(error) ? changedMeanwhile(error) : error;
  }
}

/**
 * An upload has no time for a condition: what is not in the entity tag is looked at again just before it is completed. After
 * it the tag is another one, which the conditions of others then see.
 */
async function sendInParts(
  client: S3Client,
  copy: OwnCopy,
  {
    input,
    attempts,
    look,
    abortSignal,
  }: {
    readonly input: CopyObjectCommandInput;
    readonly attempts: Attempts;
    readonly look: () => Promise<void>;
    readonly abortSignal: AbortSignal | undefined;
  },
): Promise<CopyObjectCommandOutput> {
  const { address, seen } = copy;
  const request = abortSignal === undefined ? {} : { abortSignal };
  const beforeComplete = async (): Promise<void> => {
    const now = await lookAt(client, address, request);
    if (isAnother(seen.head, now.head)) throw changedMeanwhile();
    await copy.beforeComplete?.();
    await look();
  };
  const { IfMatch, IfNoneMatch } = input;
  const conditions = { IfMatch, IfNoneMatch };
  const parts = {
    input,
    head: seen.head,
    partLength: copy.partLength,
    conditions,
    attempts,
    beforeComplete,
    abortSignal,
  };
  return answerOfParts(await copyInParts(client, parts));
}

/** The object as the source of a copy of itself. */
function sourceOfOwn({
  Bucket,
  Key,
  ExpectedBucketOwner,
  RequestPayer,
  SSECustomerAlgorithm,
  SSECustomerKey,
  SSECustomerKeyMD5,
}: StoredAddress): CopyObjectCommandInput {
  const key = Key.split("/").map(encodeURIComponent).join("/");
  return {
    Bucket,
    Key,
    CopySource: Bucket.startsWith("arn:") ? `${Bucket}/object/${key}` : `${Bucket}/${key}`,
    ExpectedBucketOwner,
    ExpectedSourceBucketOwner: ExpectedBucketOwner,
    RequestPayer,
    CopySourceSSECustomerAlgorithm: SSECustomerAlgorithm,
    CopySourceSSECustomerKey: SSECustomerKey,
    CopySourceSSECustomerKeyMD5: SSECustomerKeyMD5,
  };
}

/**
 * With `CopySourceIfMatch`, S3 no longer looks at `CopySourceIfUnmodifiedSince`, and only that one sees metadata. Where the
 * target's condition may be ignored without a word, the content has to be pinned at the source all the same.
 */
function conditionsOf(
  seen: SeenObject,
  pace: Pace,
): Pick<CopyObjectCommandInput, "CopySourceIfMatch" | "CopySourceIfUnmodifiedSince" | "IfMatch"> {
  const { ETag, LastModified } = seen.head;
  if (ETag === undefined || ETag.startsWith("W/")) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "The object has no strong entity tag (ETag), on which condition alone it can be copied onto itself: read it and put it again.",
    );
  }
  if (!checksTarget(seen, pace) || LastModified === undefined) return { IfMatch: ETag, CopySourceIfMatch: ETag };
  return { IfMatch: ETag, CopySourceIfUnmodifiedSince: LastModified };
}

/** The copy as it is to be looked at: it may have been given another key of the customer's. */
export function targetOf({ address, input }: Pick<OwnCopy, "address" | "input">): StoredAddress {
  const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = input;
  return { ...address, SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
}

/** Whether the object that stands has what this copy was to store. */
function isOwn({ Metadata = {} }: HeadObjectCommandOutput, own: OwnCopy["own"]): boolean {
  return Object.entries(own).every(([name, value]) => Metadata[name.toLowerCase()] === value);
}

async function requireOwn(
  client: S3Client,
  copy: OwnCopy,
  output: CopyObjectCommandOutput | undefined,
  abortSignal: AbortSignal | undefined,
): Promise<HeadObjectCommandOutput> {
  const request = abortSignal === undefined ? {} : { abortSignal };
  const { head } = await lookAt(client, targetOf(copy), request).catch((error: unknown) => {
    throw isMissing(error) ? changedMeanwhile(error) : error;
  });
  const tag = output?.CopyObjectResult?.ETag;
  if (isOwn(head, copy.own) && (tag === undefined || tag === head.ETag)) return head;
  throw changedMeanwhile();
}

/** 412; 409 while another conditional write is under way; 404 where the object is gone. */
function isRefusedCondition(error: unknown): boolean {
  return [404, 409, 412].includes(httpStatusOf(error) ?? 0) && (error as Error).name !== "NoSuchBucket";
}

function outcomeUnknown(cause: unknown): S3EncryptionError {
  return new S3EncryptionError(
    "outcome-unknown",
    "S3 did not answer, and may still come to change the object; it is whole and can be read either way. Look at it, and try again.",
    { cause },
  );
}
