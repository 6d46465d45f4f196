import type { S3Client } from "@aws-sdk/client-s3";
import { plainClientOf } from "@s3ec/client";
import { assertKnownOptions, type OptionNames, S3EncryptionError, type WrapAlgorithm } from "@s3ec/materials";
import { inParallel } from "../in-parallel.js";
import type { KeyQuestion } from "../key-question/key-question.js";
import type { StoredObject } from "../sources/stored-object.js";
import { auditObject } from "./audit-object.js";
import type { AuditReader } from "./audit-reader.js";
import type { Auditing } from "./audit-target.js";
import type { AuditedObject } from "./audited-object.js";

/** How objects are audited. */
export interface AuditOptions {
  /** Where the objects are. */
  readonly Bucket: string;
  /** The key that each wrapped key is asked about. Default: none. */
  readonly keyQuestion?: KeyQuestion;
  /** Several keys, by names of the caller's: each is answered by itself. Default: none. */
  readonly keyQuestions?: Readonly<Record<string, KeyQuestion>>;
  /** A reader of which each encrypted object says whether it can open it. Default: none. */
  readonly readableBy?: AuditReader;
  /** Objects that are looked at at once. Default 16. */
  readonly concurrency?: number;
  /** Wraps of keyrings of your own, as their `wrapAlgorithms` have them. Default: the official ones only. */
  readonly wrapAlgorithms?: readonly WrapAlgorithm[];
  /** Suffixes of instruction files that are looked for, beside those that every reader knows. Default: none. */
  readonly instructionFileSuffixes?: readonly string[];
  /**
   * Whether what is longer than an instruction file, and has no envelope, is looked into as well: a message of the AWS Encryption
   * SDK shows by its first bytes only, which take a request. Default: only where a key or a reader is asked about.
   */
  readonly messages?: boolean;
  /** Ends the audit, which then throws. */
  readonly abortSignal?: AbortSignal;
}

/** Which objects, and how. */
export interface AuditObjectsOptions extends AuditOptions {
  /**
   * Whether the files beside the objects are among them, as in a listing or an inventory: each is then found by itself. Default
   * false: the keys that begin with an object's and a dot are listed for each.
   */
  readonly areFilesListed?: boolean;
}

export const AUDIT: OptionNames<AuditOptions> = {
  Bucket: true,
  keyQuestion: true,
  keyQuestions: true,
  readableBy: true,
  concurrency: true,
  wrapAlgorithms: true,
  instructionFileSuffixes: true,
  messages: true,
  abortSignal: true,
};

/**
 * Says what is stored at each of these keys, from HEADs, annotations and instruction files: needs no key, and reads no content
 * but that of what is as short as an instruction file. Results come as they are found. What could not be looked at is a result,
 * too, and nothing of any is authenticated.
 *
 * @param client an `S3Client`, which may be one that encrypts
 * @throws S3EncryptionError `invalid-argument` for wrong options; what `objects` throws; `NoSuchBucket`
 */
export async function* auditObjects(
  client: S3Client,
  objects: AsyncIterable<StoredObject>,
  options: AuditObjectsOptions,
): AsyncGenerator<AuditedObject> {
  assertKnownOptions(options, { ...AUDIT, areFilesListed: true }, "auditObjects");
  const auditing = auditingOf(client, options, options.areFilesListed === true);
  yield* inParallel(untilAborted(objects, options.abortSignal), concurrencyOf(options), (stored) =>
    auditObject(auditing, stored),
  );
  options.abortSignal?.throwIfAborted();
}

/** @param suffixesRead of files that are looked at beside each object although they are listed */
export function auditingOf(
  client: S3Client,
  options: AuditOptions,
  areFilesListed: boolean,
  suffixesRead: readonly string[] = [],
): Auditing {
  const { Bucket, keyQuestion, keyQuestions, readableBy: reader, messages, abortSignal } = options;
  const { wrapAlgorithms = [], instructionFileSuffixes = [] } = options;
  if (typeof Bucket !== "string" || Bucket === "") {
    throw new S3EncryptionError("invalid-argument", "An audit must be told a Bucket.");
  }
  const isAsked = [keyQuestion, keyQuestions, reader].some((asked) => asked !== undefined);
  return {
    client: plainClientOf(client),
    Bucket,
    keyQuestion,
    keyQuestions,
    reader,
    isAsked,
    wrapAlgorithms: [...wrapAlgorithms, ...(reader?.wrapAlgorithms ?? [])],
    instructionFileSuffixes,
    areFilesListed,
    suffixesRead,
    // Without a look, "nothing needs it" would be a guess.
    looksForMessages: messages === true || isAsked,
    store: { knowsAnnotations: false, hidesAnnotations: false },
    request: abortSignal === undefined ? {} : { abortSignal },
  };
}

export function concurrencyOf({ concurrency = 16 }: Pick<AuditOptions, "concurrency">): number {
  if (Number.isSafeInteger(concurrency) && concurrency >= 1) return concurrency;
  throw new S3EncryptionError("invalid-argument", "concurrency must be a number of objects, 1 or more.");
}

async function* untilAborted<T>(items: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  for await (const item of items) {
    signal?.throwIfAborted();
    yield item;
  }
}
