import type { S3Client } from "@aws-sdk/client-s3";
import type { VerifiedObject } from "@s3ec/client";
import { httpStatusOf } from "@s3ec/client";
import { DEFAULT_INSTRUCTION_FILE_SUFFIX } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { listObjects } from "../sources/list-objects.js";
import type { StoredObject } from "../sources/stored-object.js";

/** What is verified, and how. */
export interface ByFile {
  readonly client: S3Client;
  readonly Bucket: string;
  /** Of the file that is read; the default one where none is said. */
  readonly suffix: string | undefined;
  readonly abortSignal: AbortSignal | undefined;
  /** Verifies the version with that version of its file; without one, what stands now with what lies beside it now. */
  readonly verify: (fileVersionId: string | undefined) => Promise<VerifiedObject>;
}

/** What came of it; or a sentence that says why it cannot be told. */
export type FoundByFile = { readonly verified: VerifiedObject } | { readonly problem: string };

/** Versions of a file that are tried; each reads the object anew. */
const MAX_VERSIONS = 4;

const UNTOLD = "Its wrapped key is in an instruction file, and nothing tells which version of that is its own";

/**
 * Verifies a version whose wrapped key is in a file, of which it does not say the version (V1 and V2): the current object by the
 * current file, and an older one by those that are nearest in time. That one is right, the tag of the content proves: without
 * one (CBC) only a file that there was one version of is known to be it.
 *
 * @param refused what was said without a version of the file; given back where there is no file
 */
export async function verifyByFile(of: ByFile, stored: StoredObject, refused: unknown): Promise<FoundByFile> {
  if (stored.isLatest === true) {
    const verified = await of.verify(undefined);
    if (verified.VersionId === stored.VersionId) return { verified };
  }
  const versions = await versionsOfFile(of, stored);
  if (versions === undefined) return { problem: `${UNTOLD}: they may not be listed (s3:ListBucketVersions).` };
  if (versions.length === 0) throw refused;
  const nearest = versions.slice(0, MAX_VERSIONS);
  for (const { VersionId } of nearest) {
    try {
      const verified = await of.verify(VersionId);
      if (verified.isAuthenticated || versions.length === 1) return { verified };
      return { problem: `${UNTOLD}: it is CBC, which proves no key.` };
    } catch (error) {
      of.abortSignal?.throwIfAborted();
      if (!(error instanceof S3EncryptionError)) throw error;
    }
  }
  return { problem: `${UNTOLD}: it opens with none of the ${nearest.length} that are nearest in time.` };
}

/** The nearest first; undefined where they may not be listed. */
async function versionsOfFile(
  { client, Bucket, suffix = DEFAULT_INSTRUCTION_FILE_SUFFIX, abortSignal }: ByFile,
  { Key, LastModified }: StoredObject,
): Promise<StoredObject[] | undefined> {
  const file = `${Key}${suffix}`;
  const found: StoredObject[] = [];
  const request = abortSignal === undefined ? {} : { abortSignal };
  try {
    for await (const each of listObjects(client, { Bucket, Prefix: file, versions: true, ...request })) {
      // The file itself is listed before what its key begins.
      if (each.Key !== file) break;
      if (each.isDeleteMarker !== true) found.push(each);
    }
  } catch (error) {
    if (httpStatusOf(error) === 403) return undefined;
    throw error;
  }
  const time = LastModified?.getTime();
  const distance = (each: StoredObject): number =>
    time === undefined || each.LastModified === undefined ? 0 : Math.abs(each.LastModified.getTime() - time);
  return found.sort((a, b) => distance(a) - distance(b));
}
