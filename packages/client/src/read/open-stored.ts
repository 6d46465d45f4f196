import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import {
  type AnnotationReader,
  isError,
  type ObjectFormat,
  type ObjectHead,
  type OpenedObject,
  S3EncryptionError,
  type S3EncryptionErrorCode,
  type SiblingReader,
} from "@s3ec/materials";
import { type CallOptions, requestOf } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import { unlessAborted } from "../request-aborted.js";
import { otherFormats } from "./recognise.js";
import { isOfParts, openWithCarried } from "./with-carried.js";

/** What lies beside an object that is to be read. */
export interface Beside {
  /** The text of the file with this suffix, at most one byte more than it may have (S14); undefined where there is none. */
  read(suffix: string, versionId: string | undefined): Promise<string | undefined>;
  /** Its annotations. */
  readonly annotations: AnnotationReader;
  /** The texts of annotations with wrapped keys, by name, that are still to be put back to it after a copy in parts. */
  carried(): Promise<ReadonlyMap<string, string>>;
  /** Versions of a file, those nearest in time to the object first; undefined where they may not be listed. */
  versionsNear(suffix: string, time: Date | undefined, most: number): Promise<string[] | undefined>;
  /** A sentence that says where else its wrapped key could be, for an object of which it was not found. */
  elsewhere(): Promise<string>;
}

/** An object that S3 answered with, of a format that was recognised. */
export interface StoredObject {
  readonly input: GetObjectCommandInput;
  readonly output: Pick<GetObjectCommandOutput, "ETag" | "LastModified" | "Metadata">;
  readonly format: ObjectFormat;
  readonly head: ObjectHead | undefined;
  readonly beside: Beside;
  /** Only a range is going to be read. */
  readonly partial?: boolean;
}

/** Versions of a file that are tried; each may cost a call to a key store. */
const MAX_VERSIONS = 4;

/** What a file of another version of the object may end in. */
const OF_ANOTHER_VERSION: ReadonlySet<S3EncryptionErrorCode> = new Set([
  "malformed-envelope",
  "context-mismatch",
  "no-matching-key",
  "decryption-failed",
]);

/**
 * Opens an object, where its format asks for a file beside it by the file that belongs to its version. A refusal of an
 * object that could have another file says which there are.
 */
export async function openStored(
  options: ResolvedOptions,
  call: CallOptions,
  object: StoredObject,
): Promise<OpenedObject> {
  const { name } = object.format;
  return await options.telemetry.step("s3ec.open", { "s3ec.format": name }, () => openByFormat(options, call, object));
}

async function openByFormat(options: ResolvedOptions, call: CallOptions, object: StoredObject): Promise<OpenedObject> {
  const { format, head, beside, input, output } = object;
  const { instructionFileVersionId, abortSignal } = call;
  const stored = {
    ...requestOf(options, call, input),
    metadata: output.Metadata ?? {},
    ...(head === undefined ? {} : { head }),
    preferSibling: call.preferInstructionFile,
    partial: object.partial ?? false,
  };
  const open = (siblings: SiblingReader, annotations: AnnotationReader = beside.annotations): Promise<OpenedObject> =>
    unlessAborted(() => format.open({ ...stored, siblings, annotations }), abortSignal);
  try {
    if (input.VersionId === undefined || instructionFileVersionId !== undefined) {
      const siblings = readerOf(beside, instructionFileVersionId);
      if (!isCarriedTo(object)) return await open(siblings);
      const carried = (): Promise<ReadonlyMap<string, string>> => beside.carried().catch(() => new Map());
      return await openWithCarried(beside.annotations, carried, (annotations) => open(siblings, annotations));
    }
    const isTold = format.siblings?.tells(output.Metadata ?? {}, options.materialsManager) === true;
    return await openNearest(open, object, isTold);
  } catch (error) {
    throw format.siblings?.reads === true ? await withSiblings(error, options, beside) : error;
  }
}

/** A version that is named is of one file: of another, which is looked at besides, there is none that is called so. */
function readerOf(beside: Beside, versionId: string | undefined): SiblingReader {
  let isFound = false;
  return {
    read: async (suffix) => {
      try {
        const text = await beside.read(suffix, versionId);
        isFound ||= text !== undefined;
        return text;
      } catch (error) {
        if (versionId !== undefined && isFound && isError(error) && error.name === "NoSuchVersion") return undefined;
        throw error;
      }
    },
  };
}

/** A file beside it is of the current version. */
function isCarriedTo({ input, output }: StoredObject): boolean {
  return input.VersionId === undefined && isOfParts(output.ETag);
}

/** Of an object whose version was named: S3 keeps versions of the file beside it, too, and tells of none which it is. */
async function openNearest(
  open: (siblings: SiblingReader) => Promise<OpenedObject>,
  { beside, output }: StoredObject,
  isTold: boolean,
): Promise<OpenedObject> {
  const found = new Map<string, readonly string[] | undefined>();
  const from = (attempt: number): SiblingReader => ({
    read: async (suffix) => {
      if (!found.has(suffix)) {
        found.set(suffix, await beside.versionsNear(suffix, output.LastModified, MAX_VERSIONS));
      }
      const versions = found.get(suffix);
      if (isTold) return beside.read(suffix, versions?.[attempt]);
      // A plain object has none to be named.
      if (versions?.length === 0) return undefined;
      throw versionNotNamed();
    },
  });
  let first: S3EncryptionError | undefined;
  for (let attempt = 0; ; attempt++) {
    try {
      return await open(from(attempt));
    } catch (error) {
      if (!(error instanceof S3EncryptionError) || !OF_ANOTHER_VERSION.has(error.code) || found.size === 0) throw error;
      first ??= error;
      const tried = Math.max(...[...found.values()].map((versions) => versions?.length ?? 0));
      if (attempt + 1 >= tried) throw notTheVersion(first, tried);
    }
  }
}

function versionNotNamed(): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    "The object's version was named, and its wrapped key is in an instruction file, of which there are versions too: pass the version of the file that was put with it (instructionFileVersionId). Only objects of format V3 tell which file is theirs.",
  );
}

/** Says nothing of why: only what the caller can know without a key (S16). */
function notTheVersion(error: S3EncryptionError, tried: number): S3EncryptionError {
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

/** Of an object that may have a file under a suffix of its writer's, or be of a format that nobody named. */
async function withSiblings(error: unknown, { formats }: ResolvedOptions, beside: Beside): Promise<unknown> {
  const isTold = error instanceof S3EncryptionError && ["not-encrypted", "no-matching-key"].includes(error.code);
  if (!isTold) return error;
  const others = error.code === "not-encrypted" ? otherFormats(formats) : "";
  const said = [error.message, await beside.elsewhere()].filter((sentence) => sentence !== "");
  return new S3EncryptionError(error.code, `${said.join(" ")}${others}`, { cause: error });
}
