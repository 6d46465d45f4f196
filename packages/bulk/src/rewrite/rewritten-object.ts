import type { Change, RewrappedObject } from "@s3ec/client";
import type { WrapPlace } from "@s3ec/materials";

/**
 * What became of an object:
 *
 * - `rewrapped`, `migrated`, `added`, `removed`: it is done.
 * - `planned`: it would be done (`dryRun`).
 * - `current`: it had been done: the journal says so of what stands, the new key has opened it and the old one has not, or the
 *   recipient is one, or is none.
 * - `skipped`: it is not encrypted, is a file beside an object, or has no wrap of the recipient that was named.
 * - `refused`: it may not be done as asked; nothing was changed.
 * - `failed`: it could not be done, or a recipient's wrap of it; it can be read as before, or by the wraps that are named.
 * - `unknown`: S3 did not say whether it was done; it can be read either way. Or the recipient is one, by a key that cannot be told.
 * - `nothing`: a delete marker, or an object that was deleted since it was listed.
 */
export type RewriteOutcome =
  | "rewrapped"
  | "migrated"
  | "added"
  | "removed"
  | "planned"
  | "current"
  | "skipped"
  | "refused"
  | "failed"
  | "unknown"
  | "nothing";

/** What became of one object. */
export interface RewrittenObject {
  /** Its key. */
  readonly Key: string;
  /** The version, where one was named: the one that was changed, where that had taken its place. */
  readonly VersionId?: string;
  /** What became of it. */
  readonly outcome: RewriteOutcome;
  /** Of what was not done: the code of an `S3EncryptionError`, or S3's own, such as `SlowDown`. */
  readonly code?: string;
  /** Of what was not done, or had been: why, in a sentence. */
  readonly problem?: string;
  /** Of what was not done: what to do about it, in a sentence. */
  readonly todo?: string;
  /** The wraps that were written, or would be, also where another of the object then failed; none for what was written anew. */
  readonly wraps?: readonly Pick<RewrappedObject, "place" | "wrapAlgorithm" | "verified" | "isReencrypted">[];
  /** What of the object is not as it was. */
  readonly changed?: readonly Change[];
  /** The version before, which still needs the old key. */
  readonly replacedVersionId?: string;
  /** Of what was written anew: recipients whose keys do not open it any more. */
  readonly droppedRecipients?: readonly string[];
  /** Who was to be added or removed. */
  readonly recipient?: string;
  /** Of a recipient: where the wraps stood that were deleted, or would be. */
  readonly removed?: readonly WrapPlace[];
  /** Of a recipient: where some stand all the same. */
  readonly remaining?: readonly WrapPlace[];
}
