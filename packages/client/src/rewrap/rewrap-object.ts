import type { HeadObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError, type WrapPlace } from "@s3ec/materials";
import { finishCarrying } from "../moving/carried-annotations.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import { isLarge } from "../restate/part-copies.js";
import type { Change } from "../restate/restate-object.js";
import type { NewWrap } from "./new-wrap.js";
import { recipientWithoutFile, rewrapAnnotation } from "./rewrap-annotation.js";
import { rewrapFile } from "./rewrap-file.js";
import { rewrapMetadata } from "./rewrap-metadata.js";
import { type Rewrap, type RewrapOptions, resolveRewrap } from "./rewrap-options.js";
import { markOf, type StandingObject, standingObject } from "./standing-object.js";

/** What became of a rewrap. */
export interface RewrappedObject {
  /** Where the new wrap stands. */
  readonly place: WrapPlace;
  /** The new wrap, as the sibling clients call it. */
  readonly wrapAlgorithm: string;
  /** What was seen to work before success was said: the new wrap with the content's tag, the new wrap, or nothing. */
  readonly verified: "content" | "envelope" | "unverified";
  /** Whether the key store did it all, and gave no data key out: `ReEncrypt` of KMS. */
  readonly isReencrypted: boolean;
  /** Of the object or file that holds the new wrap; of an annotation, the object's. */
  readonly ETag: string;
  /**
   * What of the object is not as it was, where its metadata changed; nothing of the content. Of a file, what got lost by `allowLoss`; empty
   * for an annotation.
   */
  readonly changed: readonly Change[];
  /** The version that still holds the old wrap, and needs the old key, where the bucket keeps versions. */
  readonly replacedVersionId?: string;
}

/** How often what others change at the same time is begun anew. */
const MAX_ROUNDS = 5;

/**
 * Gives the data key of a stored object another wrap: the content stays as it is, and passes through no machine. The
 * client's own keyring opens the data key, the one in `to` wraps it.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError `not-encrypted`, `malformed-envelope`, `commitment-policy`, `legacy-disabled`, `context-mismatch`,
 *   `no-matching-key`, `key-unavailable`, `decryption-failed` as a get does, before anything is changed; `unsupported-operation`
 *   for a format or place that is not re-wrapped; `invalid-argument` and `invalid-configuration` for what is wrong with the
 *   options and the new keyring; `content-mismatch` where the object was replaced meanwhile; `outcome-unknown` where
 *   S3 did not answer; S3's own errors
 */
export async function rewrapObject(client: S3Client, options: RewrapOptions): Promise<RewrappedObject> {
  const rewrap = resolveRewrap(encryptionOf(client, undefined), options);
  const plain = plainClientOf(client);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const done = await attempt(plain, rewrap);
    if (done !== undefined) return done;
  }
  throw new S3EncryptionError(
    "content-mismatch",
    "Nothing was changed: others write to the object or its file again and again. Try again later.",
  );
}

async function attempt(client: S3Client, rewrap: Rewrap): Promise<RewrappedObject | undefined> {
  const object = await standingObject(client, rewrap);
  const isDryRun = rewrap.writing.dryRun === true;
  if (rewrap.VersionId === undefined && !isDryRun && isLarge(object.head, rewrap.keep)) {
    // By a copy that broke off: what it had written may be what the keys here no longer open.
    await finishCarrying(client, rewrap.object, markOf(object.format), rewrap.from.abortSignal);
  }
  const recipient = rewrap.recipient ?? (await recipientWithoutFile(client, rewrap, object));
  if (recipient !== undefined) {
    const done = await rewrapAnnotation(client, rewrap, object, recipient);
    if (done === undefined) return undefined;
    return resultOf(done, { ETag: object.head.ETag ?? "", changed: [], replacedVersionId: undefined });
  }
  const isInMetadata = standsInMetadata(rewrap, object);
  if (isInMetadata && rewrap.to.instructionFileSuffix === undefined) {
    const done = await rewrapMetadata(client, rewrap, object);
    if (done === undefined) return undefined;
    const { head, changed, replacedVersionId } = done;
    return resultOf(done, { ETag: head.ETag ?? "", changed, replacedVersionId: keptVersion(replacedVersionId, head) });
  }
  const done = await rewrapFile(client, rewrap, object, isInMetadata);
  if (done === undefined) return undefined;
  return resultOf(done, { ETag: done.etag, changed: done.changed, replacedVersionId: done.replacedVersionId });
}

/** Without versions, nothing of the one that was replaced is left. */
function keptVersion(replaced: string | undefined, { VersionId }: HeadObjectCommandOutput): string | undefined {
  return replaced === VersionId ? undefined : replaced;
}

function resultOf(
  { laid, verified, isReencrypted }: NewWrap,
  {
    ETag,
    changed,
    replacedVersionId,
  }: {
    readonly ETag: string;
    readonly changed: readonly Change[];
    readonly replacedVersionId: string | undefined;
  },
): RewrappedObject {
  return {
    place: laid.place,
    wrapAlgorithm: laid.encryptedDataKey.wrapAlgorithm.name,
    verified: verified === "none" ? "unverified" : verified,
    isReencrypted,
    ETag,
    changed,
    ...(replacedVersionId === undefined ? {} : { replacedVersionId }),
  };
}

/** A suffix that the call names means that file; without one, it is the metadata's wrap, or a file where there is none. */
export function standsInMetadata({ from }: Rewrap, { head, format }: StandingObject): boolean {
  if (from.instructionFileSuffix !== undefined) return false;
  return format.siblings === undefined || format.siblings.kindOf(head.Metadata ?? {}).standsAlone;
}
