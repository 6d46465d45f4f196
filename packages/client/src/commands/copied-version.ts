import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { isError, S3EncryptionError } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import { siblingRules } from "../files-beside.js";
import type { ResolvedOptions } from "../options.js";
import type { BesideObject } from "../read/beside-object.js";
import { httpStatusOf } from "../s3-errors.js";
import type { FoundFile } from "../write/sibling-files.js";
import type { SiblingStore } from "../write/sibling-store.js";
import type { SeenObject } from "./copied-files.js";
import { ownerOf } from "./whose-file.js";

/** Versions of a file that are looked at; each may cost a call to a key store. */
const MAX_VERSIONS = 4;

type Found = ReadonlyMap<string, FoundFile>;

/** The version of the object's file that the call names. Throws `invalid-argument` where there is none. */
export async function readNamedVersion(
  options: ResolvedOptions,
  call: CallOptions,
  store: SiblingStore,
  suffixes: readonly string[],
): Promise<Found> {
  const { instructionFileVersionId } = call;
  if (instructionFileVersionId === undefined) return new Map();
  const names = siblingRules(options).suffixesOf(call.instructionFileSuffix);
  const asked = suffixes.filter((suffix) => names.includes(suffix));
  for (const suffix of asked) {
    const found = await readVersion(store, suffix, instructionFileVersionId);
    if (found.state === "read") return new Map([[suffix, found]]);
  }
  throw new S3EncryptionError(
    "invalid-argument",
    `instructionFileVersionId names no version that may be read of ${JSON.stringify(store.keyOf(names[0] ?? ""))}.`,
  );
}

/**
 * Of each file that an older version of an object may have, the version that is its own: by the mark, or by what a key here
 * proves. Throws `invalid-argument` where there are versions of which none is known to be, and the object needs one.
 */
export async function filesOfVersion(
  options: ResolvedOptions,
  call: CallOptions,
  object: SeenObject,
  source: {
    readonly head: HeadObjectCommandOutput;
    readonly store: SiblingStore;
    readonly beside: BesideObject;
    readonly suffixes: readonly string[];
    readonly named: Found;
  },
): Promise<Found> {
  const files = new Map<string, FoundFile>();
  let isUndecided = false;
  for (const suffix of source.suffixes) {
    if (source.named.has(suffix)) continue;
    // A name without a dot beside a wrapped key in the metadata is somebody else's object.
    if (object.kind.standsAlone && !siblingRules(options).isOurs(suffix)) continue;
    const versions = await versionsNear(source.beside, suffix, source.head.LastModified);
    // Where they may not be listed, the current one may still be its own.
    for (const version of versions ?? [undefined]) {
      const found = await readVersion(source.store, suffix, version);
      if (found.state !== "read") {
        files.set(suffix, found);
        continue;
      }
      const owner = await ownerOf(options, call, object, { suffix, body: found.body, metadata: found.metadata });
      if (owner === "unverified") isUndecided = true;
      if (owner !== "its") continue;
      files.set(suffix, found);
      break;
    }
  }
  const isFound = source.named.size > 0 || [...files.values()].some(({ state }) => state === "read");
  const { standsAlone, needsFile } = object.kind;
  if (standsAlone || isFound || !(needsFile || isUndecided)) return files;
  throw new S3EncryptionError(
    "invalid-argument",
    `The copy could not be read: a version of ${JSON.stringify(object.key)} was named, its wrapped key is in an instruction file, and which version of that is its own does not show. Pass the version that was put with it (instructionFileVersionId).`,
  );
}

/** Undefined where they cannot be listed, by whatever word of a store that has no such operation. */
async function versionsNear(
  beside: BesideObject,
  suffix: string,
  time: Date | undefined,
): Promise<string[] | undefined> {
  try {
    return await beside.versionsNear(suffix, time, MAX_VERSIONS);
  } catch (error) {
    if ([400, 404].includes(httpStatusOf(error) ?? 0)) return undefined;
    throw error;
  }
}

async function readVersion(store: SiblingStore, suffix: string, version: string | undefined): Promise<FoundFile> {
  try {
    return await store.read(suffix, version);
  } catch (error) {
    if (isError(error) && error.name === "NoSuchVersion") return { state: "missing" };
    throw error;
  }
}
