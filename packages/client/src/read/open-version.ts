import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { type ContentKey, classifyEnvelope, quotedList } from "@s3ec/envelope";
import { S3EncryptionError, type S3EncryptionErrorCode, type WrapAlgorithm } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import type { BesideObject } from "./beside-object.js";
import { openObject } from "./open-object.js";

type Get = (input: GetObjectCommandInput) => Promise<GetObjectCommandOutput>;

/** Versions of an instruction file that are tried; each may cost a call to a key store. */
const MAX_VERSIONS = 4;

/** What a file of another version of the object may end in. */
const OF_ANOTHER_VERSION: ReadonlySet<S3EncryptionErrorCode> = new Set([
  "malformed-envelope",
  "context-mismatch",
  "no-matching-key",
  "decryption-failed",
]);

/**
 * Opens an object that S3 answered with, by the instruction file that belongs to its version. A refusal of an object that
 * could have another file says which there are.
 *
 * @param get for instruction files
 */
export async function openVersion(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  output: GetObjectCommandOutput,
  { get, beside }: { readonly get: Get; readonly beside: BesideObject },
): Promise<ContentKey> {
  const { instructionFileVersionId } = call;
  const open = (from: Get): Promise<ContentKey> => openObject(options, call, input, output, from);
  try {
    if (instructionFileVersionId !== undefined) {
      return await open((file) => get({ ...file, VersionId: instructionFileVersionId }));
    }
    if (input.VersionId === undefined) return await open(get);
    const isTold = tellsItsFile(output, options.materialsManager.wrapAlgorithms);
    return await openNearest(open, { LastModified: output.LastModified, isTold }, get, beside);
  } catch (error) {
    throw options.instructionFiles.read ? await withSiblings(error, beside) : error;
  }
}

/** Of an object whose version was named: S3 keeps versions of its instruction file, too, and tells of none which it is. */
async function openNearest(
  open: (from: Get) => Promise<ContentKey>,
  { LastModified, isTold }: { readonly LastModified: Date | undefined; readonly isTold: boolean },
  get: Get,
  beside: BesideObject,
): Promise<ContentKey> {
  const found = new Map<string, readonly string[] | undefined>();
  const from =
    (attempt: number): Get =>
    async (file) => {
      const { Key = "" } = file;
      if (!isTold) throw versionNotNamed();
      if (!found.has(Key)) found.set(Key, await beside.versionsNear(Key, LastModified, MAX_VERSIONS));
      const VersionId = found.get(Key)?.[attempt];
      return get(VersionId === undefined ? file : { ...file, VersionId });
    };
  let first: unknown;
  for (let attempt = 0; ; attempt++) {
    try {
      return await open(from(attempt));
    } catch (error) {
      first ??= error;
      if (!(error instanceof S3EncryptionError) || !OF_ANOTHER_VERSION.has(error.code) || found.size === 0) throw error;
      const tried = Math.max(...[...found.values()].map((versions) => versions?.length ?? 0));
      if (attempt + 1 >= tried) throw notTheVersion(first, tried);
    }
  }
}

/** By the commitment of format V3, or by the IV of an envelope that is whole in the metadata (S19). */
function tellsItsFile({ Metadata = {} }: GetObjectCommandOutput, wrapAlgorithms: readonly WrapAlgorithm[]): boolean {
  const isCommitted = Object.keys(Metadata).some((name) => name.toLowerCase() === "x-amz-c");
  return isCommitted || classifyEnvelope(Metadata, { wrapAlgorithms }).placement === "metadata";
}

function versionNotNamed(): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    "The object's version was named, and its wrapped key is in an instruction file, of which there are versions too: pass the version of the file that was put with it (instructionFileVersionId). Only objects of format V3 tell which file is theirs.",
  );
}

/** Says nothing of why: only what the caller can know without a key (S16). */
function notTheVersion(error: unknown, tried: number): unknown {
  if (!(error instanceof S3EncryptionError)) return error;
  const what =
    tried === 0
      ? "The current version of its instruction file was used, since its versions could not be listed (s3:ListBucketVersions)"
      : `The ${tried} versions of its instruction file that are nearest in time were tried`;
  return new S3EncryptionError(
    error.code,
    `${error.message} ${what}: pass the version that was put with the object (instructionFileVersionId).`,
    { cause: error },
  );
}

/** Of an object that may have an instruction file under a suffix of its writer's. */
async function withSiblings(error: unknown, beside: BesideObject): Promise<unknown> {
  const isTold = error instanceof S3EncryptionError && ["not-encrypted", "no-matching-key"].includes(error.code);
  if (!isTold) return error;
  const suffixes = await beside.suffixes();
  const advice =
    suffixes === undefined
      ? "Whether it has an instruction file with another suffix could not be listed (s3:ListBucket)."
      : suffixes.length === 0
        ? 'No other key begins with its key and ".", as that of an instruction file would.'
        : `Beside it are keys that end in ${quotedList(suffixes)}: if one is its instruction file, pass that as instructionFileSuffix.`;
  return new S3EncryptionError(error.code, `${error.message} ${advice}`, { cause: error });
}
