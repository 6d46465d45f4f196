import type { S3Client } from "@aws-sdk/client-s3";
import { type EncryptionCallOptions, httpStatusOf, type VerifiedObject, verifyObject } from "@s3ec/client";
import { assertKnownOptions, type OptionNames, S3EncryptionError, type S3EncryptionErrorCode } from "@s3ec/materials";
import { auditObject } from "../audit/audit-object.js";
import { auditingOf, concurrencyOf } from "../audit/audit-objects.js";
import { whyNotPlain } from "../audit/not-plain.js";
import { problemOf } from "../audit/problem.js";
import { checkedEarly } from "../checked-early.js";
import { inParallel } from "../in-parallel.js";
import type { StoredObject } from "../sources/stored-object.js";
import { verifyByFile } from "./verify-by-file.js";

/** Which objects are verified, and how they are read. */
export interface VerifyObjectsOptions
  extends Pick<EncryptionCallOptions, "encryptionContext" | "instructionFileSuffix" | "materialDescription"> {
  /** Where they are. */
  readonly Bucket: string;
  /** Objects that are read at once. Default 8. */
  readonly concurrency?: number;
  /** Ends the work, which then throws. */
  readonly abortSignal?: AbortSignal;
}

/**
 * What came of reading an object:
 *
 * - `verified`: all of its content was authenticated.
 * - `unauthenticated`: it was decrypted to its end; of CBC nothing can be authenticated.
 * - `plain`, `instruction-file`: there is no encrypted content.
 * - `failed`: this client does not read it, or it was altered.
 * - `unknown`: S3 did not give it, or nothing tells which version of its instruction file is its own.
 * - `nothing`: a delete marker, or an object that was deleted since it was listed.
 */
export type VerifyState =
  | "verified"
  | "unauthenticated"
  | "plain"
  | "instruction-file"
  | "failed"
  | "unknown"
  | "nothing";

/** What came of one object. */
export interface ObjectVerification {
  /** Its key. */
  readonly Key: string;
  /** The version, where one was named. */
  readonly VersionId?: string;
  /** What came of it. */
  readonly state: VerifyState;
  /** Of one that was read, or is plain: bytes of plaintext. */
  readonly length?: number;
  /** Of one that was read: the name of its format. */
  readonly formatName?: string;
  /** Of one that failed: why, as a get would say. */
  readonly code?: S3EncryptionErrorCode;
  /** Of one that failed or is unknown: a sentence. */
  readonly problem?: string;
}

const OPTIONS: OptionNames<VerifyObjectsOptions> = {
  Bucket: true,
  concurrency: true,
  encryptionContext: true,
  materialDescription: true,
  instructionFileSuffix: true,
  abortSignal: true,
};

/**
 * Opens each of these objects and authenticates all of its content, and writes nothing. What does not open is a result, too;
 * results come in the order of the objects.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError `invalid-argument` for wrong options; what `objects` throws; `NoSuchBucket`
 */
export async function* verifyObjects(
  client: S3Client,
  objects: AsyncIterable<StoredObject>,
  options: VerifyObjectsOptions,
): AsyncGenerator<ObjectVerification> {
  assertKnownOptions(options, OPTIONS, "verifyObjects");
  const { Bucket, concurrency = 8, ...reading } = options;
  const { abortSignal } = options;
  const atOnce = concurrencyOf({ concurrency });
  await checkedEarly((stopped) => verifyObject(client, { Bucket, Key: "-", ...reading, abortSignal: stopped }));
  const looking = { Bucket, messages: true, ...(abortSignal === undefined ? {} : { abortSignal }) };
  const auditing = auditingOf(client, looking, true);
  const verify = async (stored: StoredObject): Promise<ObjectVerification> => {
    const { Key, VersionId } = stored;
    const named = { Key, ...(VersionId === undefined ? {} : { VersionId }) };
    if (stored.isDeleteMarker === true) return { ...named, state: "nothing" };
    try {
      return { ...named, ...verified(await verifyObject(client, { Bucket, ...named, ...reading })) };
    } catch (error) {
      abortSignal?.throwIfAborted();
      const isNotEncrypted = error instanceof S3EncryptionError && error.code === "not-encrypted";
      if (isNotEncrypted || httpStatusOf(error) === 404) {
        const { state, problem, storedLength: length } = await auditObject(auditing, stored);
        if (state === "nothing") return { ...named, state };
        if (state === "plain") {
          const why = problem ?? (await whyNotPlain(auditing, stored));
          if (why !== undefined) return { ...named, ...outcomeOf(error), problem: why };
          return { ...named, state, ...(length === undefined ? {} : { length }) };
        }
        if (state === "instruction-file" || state === "orphaned-file") return { ...named, state: "instruction-file" };
      }
      if (VersionId === undefined || !(error instanceof S3EncryptionError) || error.code !== "invalid-argument") {
        return { ...named, ...outcomeOf(error) };
      }
      // Whatever else is wrong with a call, the first of all would have shown.
      return { ...named, ...(await byFile(stored, error)) };
    }
  };
  const byFile = async (stored: StoredObject, refused: S3EncryptionError): Promise<Omit<ObjectVerification, "Key">> => {
    const { Key, VersionId } = stored;
    const suffix = reading.instructionFileSuffix;
    const verifyWith = async (fileVersionId: string | undefined): Promise<VerifiedObject> => {
      const object = { Bucket, Key, ...reading };
      return fileVersionId === undefined || VersionId === undefined
        ? await verifyObject(client, object)
        : await verifyObject(client, { ...object, VersionId, instructionFileVersionId: fileVersionId });
    };
    try {
      const found = await verifyByFile({ client, Bucket, suffix, abortSignal, verify: verifyWith }, stored, refused);
      return "problem" in found ? { state: "unknown", ...found } : verified(found.verified);
    } catch (error) {
      abortSignal?.throwIfAborted();
      return outcomeOf(error);
    }
  };
  yield* inParallel(objects, atOnce, verify);
}

function verified({ isAuthenticated, length, formatName }: VerifiedObject): Omit<ObjectVerification, "Key"> {
  return { state: isAuthenticated ? "verified" : "unauthenticated", length, formatName };
}

function outcomeOf(error: unknown): Omit<ObjectVerification, "Key"> {
  if (error instanceof S3EncryptionError) return { state: "failed", code: error.code, problem: error.message };
  return { state: "unknown", problem: problemOf(error, "It") };
}
