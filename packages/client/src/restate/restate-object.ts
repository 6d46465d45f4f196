import type { CopyObjectCommandInput, HeadObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import type { MarkOf } from "../moving/put-back.js";
import { refuseOversizedMetadata } from "../write/metadata-limits.js";
import { type KeepOptions, type KeptObject, requireKept } from "./kept-object.js";
import type { Loss } from "./losses.js";
import { copyOntoItself } from "./own-copy.js";
import { checksTarget } from "./settled.js";
import { hasAnotherOwner } from "./stored-grants.js";

/** What an object is given in place of what it has. */
export interface Restatement {
  /** All of its user metadata from now on: the envelope, and what is the user's. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What of that this copy alone has, and is read back letter for letter: the new envelope. */
  readonly own: Readonly<Record<string, string>>;
  /** What an object's metadata alone has, by which the copy is told from another object. Default: nothing. */
  readonly markOf?: MarkOf;
  /** What else is to change. Default: nothing. */
  readonly headers?: Partial<CopyObjectCommandInput>;
}

/**
 * What is not as it was before, although nothing of it was asked for:
 *
 * - `last-modified`: the object is as old as the copy, also for lifecycle rules, and S3 has sent its events.
 * - `version-id`: it is a new version; the one before is still there, as it was, with the old envelope.
 * - `etag`: it has another entity tag, as one that was stored in parts gets.
 * - `owner`: it belongs to whoever wrote it again, in a bucket that keeps access control lists; as far as those may be read.
 * - `checksum`: its checksum is no longer that of the parts, or of another algorithm, which cannot be calculated here.
 * - `unpinned-metadata`: the store does not check conditions on the target of a copy (`checksTarget`): metadata, or an object,
 *   that others wrote while it ran may be lost. Content and envelope fit each other all the same.
 * - what the caller allowed to get lost.
 */
export type Change = Loss | "last-modified" | "version-id" | "etag" | "checksum" | "owner" | "unpinned-metadata";

/** An object that was written again. */
export interface RestatedObject {
  /** It, as S3 describes it now. */
  readonly head: HeadObjectCommandOutput;
  /** What is not as before. */
  readonly changed: readonly Change[];
}

/**
 * Gives an object other metadata, and keeps everything else about it: its content is not read, and every request leaves an
 * object that is whole.
 *
 * @param client one that does not encrypt
 * @param kept as `readKept` has read it
 * @throws S3EncryptionError as `copyOntoItself`, and `invalid-argument` for metadata that is more than S3 takes
 */
export async function restateObject(
  client: S3Client,
  kept: KeptObject,
  { metadata, own, headers = {}, markOf = () => undefined }: Restatement,
  options: KeepOptions,
): Promise<RestatedObject> {
  const { address, seen, restated, losses, annotations } = kept;
  refuseOversizedMetadata(metadata, own);
  const input = { ...restated, ...headers, Metadata: { ...metadata } };
  const beforeComplete = (): Promise<void> => requireKept(client, kept, options);
  const partLength = options.copyLimit;
  const along = { annotations, losses, markOf };
  const copy = { address, seen, input, own, along, beforeComplete, partLength };
  const { head } = await copyOntoItself(client, copy, options);
  const changed = [...changes(seen.head, head), ...(await ownerChange(client, kept, options))];
  return { head, changed: [...changed, ...unpinned(kept, options), ...losses.lost] };
}

/** What of an object that was written again is not as it was. */
export function changes(before: HeadObjectCommandOutput, now: HeadObjectCommandOutput): Change[] {
  const changed: Change[] = ["last-modified"];
  if (before.VersionId !== now.VersionId) changed.push("version-id");
  if (before.ETag !== now.ETag) changed.push("etag");
  if (before.ChecksumType === "COMPOSITE") changed.push("checksum");
  return changed;
}

/** Asked once it is written again. */
export async function ownerChange(
  client: S3Client,
  { address, owner }: KeptObject,
  { abortSignal }: KeepOptions,
): Promise<Change[]> {
  const request = abortSignal === undefined ? {} : { abortSignal };
  return (await hasAnotherOwner(client, address, owner, request)) ? ["owner"] : [];
}

function unpinned({ seen }: KeptObject, options: KeepOptions): Change[] {
  return checksTarget(seen, options) ? [] : ["unpinned-metadata"];
}
