import type { CopyObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import type { ListedAnnotation } from "../annotations/annotation-store.js";
import { changedMeanwhile, isAnother, isSaidAlike } from "./changed-meanwhile.js";
import { AllowedLosses, type Loss } from "./losses.js";
import { isLarge } from "./part-copies.js";
import type { SeenObject, StoredAddress } from "./seen-object.js";
import { settled } from "./settled.js";
import { grantsOf } from "./stored-grants.js";
import { headersOf, refuseArchived, sendableMetadata } from "./stored-headers.js";
import { lockOf } from "./stored-lock.js";
import { annotationsToCarry, tagsAlong } from "./taken-along.js";

/** How an object is to be read and written again. */
export interface KeepOptions {
  /** What may get lost. Default: nothing, so that what cannot be kept is refused. */
  readonly allowLoss?: readonly Loss[] | undefined;
  /** The object's own encryption context for SSE-KMS, as the SDK takes it: JSON in base64. */
  readonly SSEKMSEncryptionContext?: string | undefined;
  /**
   * Milliseconds within which the store's clock cannot tell two changes apart, and after which what was written is looked at
   * once more. Default 2000, for `Last-Modified`, which has whole seconds.
   */
  readonly settleTime?: number | undefined;
  /**
   * Whether the store checks a condition on the target of a copy, as S3 of AWS does. Default: by the endpoint, since others
   * may ignore it without a word.
   */
  readonly checksTarget?: boolean | undefined;
  /** Bytes that the store copies in one request, at least 5 MiB. Default 5 GiB, as S3. Larger objects are copied in parts. */
  readonly copyLimit?: number | undefined;
  /** Stops it. What was sent by then may be done. */
  readonly abortSignal?: AbortSignal | undefined;
}

/** An object with everything about it that a copy of it has to say again. */
export interface KeptObject {
  readonly address: StoredAddress;
  readonly seen: SeenObject;
  /** Its user metadata, envelope included, as it can be sent again. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Headers, locks, owners and encryption, and the tags of an object that no copy in one request takes along; no metadata. */
  readonly restated: Partial<CopyObjectCommandInput>;
  /** Its owner, where that may be known. */
  readonly owner: string | undefined;
  /** Annotations that whoever writes it anew has to carry over: of a put, others'; all, of a copy in parts; none, of one in one request. */
  readonly annotations: readonly ListedAnnotation[];
  /** What the caller allowed to get lost, and does. */
  readonly losses: AllowedLosses;
}

/**
 * Reads everything about an object that has to stay when it is written again. Refuses before anything is written what could
 * not stay, unless the caller allows that by name. The object is seen at rest: what changes it later shows in its time.
 *
 * @param client one that does not encrypt
 * @param by what writes it again: a copy in one request takes tags and annotations along by itself; a put gives the object
 *   other recipients, so that theirs among the annotations are its business, and others' are to be carried over
 * @throws S3EncryptionError `unsupported-operation`, `content-mismatch` for an object that changes all the time; S3's errors
 */
export async function readKept(
  client: S3Client,
  address: StoredAddress,
  options: KeepOptions,
  by: "copy" | "put" = "copy",
): Promise<KeptObject> {
  const losses = new AllowedLosses(options.allowLoss);
  const request = options.abortSignal === undefined ? {} : { abortSignal: options.abortSignal };
  const seen = await settled(client, address, options);
  refuseArchived(seen.head);
  const metadata = sendableMetadata(seen.head, losses);
  const headers = headersOf(seen.head, losses, options.SSEKMSEncryptionContext);
  // A copy in one request takes tags and annotations along by itself.
  const isCopy = by === "copy" && !isLarge(seen.head, options);
  const which = by === "put" ? "others" : "all";
  const [lock, { grants, owner }, along, annotations] = await Promise.all([
    lockOf(client, address, seen, losses, request),
    grantsOf(client, address, losses, request),
    isCopy ? {} : tagsAlong(client, address, losses, request),
    isCopy ? [] : annotationsToCarry(client, address, losses, request, which),
  ]);
  const { ExpectedBucketOwner, RequestPayer, SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = address;
  const shared = { ExpectedBucketOwner, RequestPayer, SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
  return {
    address,
    seen,
    metadata,
    losses,
    owner,
    annotations,
    restated: { ...shared, ...headers, ...lock, ...grants, ...along },
  };
}

/** Throws `content-mismatch` where something of an object is not as it was read. */
export async function requireKept(
  client: S3Client,
  kept: KeptObject,
  options: KeepOptions,
  by: "copy" | "put" = "copy",
): Promise<void> {
  const now = await readKept(client, kept.address, { ...options, settleTime: 0 }, by);
  const isAlike =
    isSaidAlike(now.restated, kept.restated) && JSON.stringify(now.annotations) === JSON.stringify(kept.annotations);
  if (!isAlike || isAnother(kept.seen.head, now.seen.head)) throw changedMeanwhile();
}
