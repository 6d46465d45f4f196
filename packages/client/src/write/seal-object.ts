import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { ContentParts } from "@s3ec/envelope";
import {
  type ObjectFormat,
  type ObjectInParts,
  S3EncryptionError,
  type SiblingFile,
  type Siblings,
} from "@s3ec/materials";
import { refuseAnnotations } from "../annotations/annotatable.js";
import { type CallOptions, callOptionsOf, refuseReservedNames, requestOf } from "../call-options.js";
import { knownSuffixes, siblingRules } from "../files-beside.js";
import { formatToWrite, type ResolvedOptions } from "../options.js";
import { unlessAborted } from "../request-aborted.js";
import { letGoOfBody } from "../streams.js";
import type { Telemetry } from "../telemetry/telemetry.js";
import { type ObjectToPut, sourceOfBody } from "./body.js";
import { callersMetadata } from "./callers-metadata.js";
import { refuseImpossibleKeys, refuseOversizedMetadata } from "./metadata-limits.js";
import { withoutPlaintextChecksums } from "./plaintext-checksums.js";
import type { SiblingsToPut } from "./sibling-files.js";
import { takePlaintext } from "./taken-body.js";

/** An object ready to be stored: encrypted once, in order, as it is read. */
export interface SealedObject extends ObjectToStore {
  readonly ciphertext: AsyncGenerator<Uint8Array>;
  /** Ciphertext bytes, where the plaintext's length is known. */
  readonly length: number | undefined;
  /** How many of them stand for no plaintext. */
  readonly overhead: number;
  /** Whether the caller has all of the plaintext in memory anyway. */
  readonly isInMemory: boolean;
  /** Lets go of the caller's body; harmless after its end. */
  readonly destroy: () => void;
}

/** Refuses what must not be written, gets materials, and starts the one pass of encryption (S18: never a second). */
export async function sealBody(options: ResolvedOptions, given: ObjectToPut): Promise<SealedObject> {
  takePlaintext(given.Body);
  try {
    return await sealChecked(options, given);
  } catch (error) {
    // Whatever was wrong, the caller's stream must not stay open.
    letGoOfBody(given.Body);
    throw error;
  }
}

async function sealChecked(options: ResolvedOptions, given: ObjectToPut): Promise<SealedObject> {
  const { call, format, Metadata } = checked(options, given);
  const body = sourceOfBody(given.Body, given.ContentLength);
  try {
    const { input, source } = withoutPlaintextChecksums({ ...given, Metadata }, body);
    const object = {
      ...requestOf(options, call, given),
      plaintext: source.chunks,
      ...(source.length === undefined ? {} : { contentLength: source.length }),
    };
    const sealed = await unlessAborted(() => format.seal(object), call.abortSignal);
    return {
      ...toStore(options, input, sealed),
      ciphertext: sealed.ciphertext,
      length: sealed.length,
      overhead: sealed.length === undefined || source.length === undefined ? 0 : sealed.length - source.length,
      isInMemory: body.isInMemory,
      destroy: body.destroy,
    };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

/** An object ready to be stored in parts, each encrypted when it is given. */
export interface PartwiseObject extends ObjectToStore, Pick<ObjectInParts, "isResumable" | "stateKey"> {
  readonly parts: ContentParts;
  /** What is kept of it for another process: nothing of it is secret. */
  readonly kept: KeptObject;
}

/** What another process has to know of an object that is being written. */
export interface KeptObject {
  /** Name of the format that writes it. */
  readonly format: string;
  /** What the format stores with it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What it stores beside it. */
  readonly files: readonly SiblingFile[];
}

/** What is stored, but for the content: an object with its envelope, and what is beside it. */
export interface ObjectToStore {
  /** The caller's input without `Body` and `ContentLength`, with the envelope in its `Metadata`. */
  readonly input: PutObjectCommandInput;
  readonly siblings: SiblingsToPut;
  /** Told of what becomes of it. */
  readonly telemetry: Telemetry;
}

/**
 * The same for content that is given in parts; undefined where the format that the call writes cannot, before anything was
 * asked for a key. What the caller says of the whole plaintext's checksums is not looked at.
 *
 * @param contentLength plaintext bytes, where known
 */
export async function sealObjectInParts(
  options: ResolvedOptions,
  given: Omit<PutObjectCommandInput, "Body">,
  contentLength?: number,
): Promise<PartwiseObject | undefined> {
  const { call, format, Metadata } = checked(options, given);
  const sealInParts = format.sealInParts?.bind(format);
  if (sealInParts === undefined) return undefined;
  const object = { ...requestOf(options, call, given), ...(contentLength === undefined ? {} : { contentLength }) };
  const sealed = await unlessAborted(() => sealInParts(object), call.abortSignal);
  return inParts(options, { ...given, Metadata }, format, sealed);
}

/**
 * Goes on with one that another process has begun; undefined as above. What was kept has to be authenticated before a part is
 * sealed (G7).
 */
export async function resumeObjectInParts(
  options: ResolvedOptions,
  given: Omit<PutObjectCommandInput, "Body">,
  contentLength: number,
  { format: name, metadata, files }: KeptObject,
): Promise<PartwiseObject | undefined> {
  const { call, format, Metadata } = checked(options, given);
  const resumeInParts = format.resumeInParts?.bind(format);
  if (resumeInParts === undefined) return undefined;
  if (format.name !== name) throw otherFormat(name, format.name);
  const object = { ...requestOf(options, call, given), contentLength, metadata, files };
  const sealed = await unlessAborted(() => resumeInParts(object), call.abortSignal);
  return inParts(options, { ...given, Metadata }, format, sealed);
}

function inParts(
  options: ResolvedOptions,
  given: Omit<PutObjectCommandInput, "Body">,
  { name: format }: ObjectFormat,
  sealed: ObjectInParts,
): PartwiseObject {
  const { parts, isResumable, metadata, siblings } = sealed;
  return {
    ...toStore(options, given, sealed),
    parts,
    isResumable,
    stateKey: (secret) => sealed.stateKey(secret),
    kept: { format, metadata, files: siblings.files },
  };
}

function otherFormat(begun: string, now: string): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    `The upload was begun in the format "${begun}", and this call writes "${now}": resume it with the same one, or discard it.`,
  );
}

/** Refuses what must not be written, before anything is asked for a key. */
function checked(
  options: ResolvedOptions,
  given: ObjectToPut,
): { call: CallOptions; format: ObjectFormat; Metadata: PutObjectCommandInput["Metadata"] } {
  const call = callOptionsOf(given);
  refuseReservedNames(call);
  const Metadata = callersMetadata(options, given.Metadata);
  if (given.WriteOffsetBytes !== undefined) {
    throw new S3EncryptionError("unsupported-operation", "An encrypted object cannot be appended to; write it anew.");
  }
  return { call, format: formatToWrite(options, call), Metadata };
}

function toStore(
  options: ResolvedOptions,
  given: ObjectToPut,
  sealed: Pick<ObjectInParts, "metadata" | "siblings">,
): ObjectToStore {
  const Metadata = { ...given.Metadata, ...sealed.metadata };
  refuseOversizedMetadata(Metadata, sealed.metadata);
  refuseImpossibleKeys(given.Key, sealed.siblings.files);
  refuseAnnotations(sealed.siblings.annotations ?? [], given);
  const { Body: _body, ContentLength: _length, ...rest } = given;
  return {
    input: { ...rest, Metadata },
    telemetry: options.telemetry,
    siblings: {
      ...sealed.siblings,
      verb: "Put",
      suffixes: suffixesToLookAt(options, sealed, given),
      markOf: ({ Metadata: stored = {} }) => sealed.siblings.markOf(stored),
      isFile: (file, metadata) => siblingRules(options).isFile(file, metadata),
    },
  };
}

/** Without any file here, nothing says that there was one: it would take a request with every put. */
function suffixesToLookAt(
  options: ResolvedOptions,
  { siblings: { files, mark } }: { readonly siblings: Siblings },
  given: ObjectToPut,
): readonly string[] {
  // A child that is missing in one put may have its file of an earlier one.
  const mayHaveFiles = (options.materialsManager.instructionFileSuffixes ?? []).length > 0;
  return files.length > 0 || (mark !== undefined && mayHaveFiles) ? knownSuffixes(options, given) : [];
}
