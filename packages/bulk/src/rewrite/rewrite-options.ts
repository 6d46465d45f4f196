import type { ObjectAside } from "@s3ec/client";
import { type OptionNames, S3EncryptionError, type WrapAlgorithm } from "@s3ec/materials";
import type { EnvelopeFilter } from "../sources/envelope-filter.js";
import type { ObjectFilter } from "../sources/object-filter.js";

/** Where a run records what it does, to be gone on with behind a process that was killed. */
export interface JournalOptions {
  /** A file; it is made where there is none. */
  readonly path: string;
  /**
   * What wraps from now on, and how, in whatever words: a journal is refused for another one. Its author vouches that the same
   * words are the same key.
   */
  readonly target: string;
}

/** How many objects are written. */
export interface RewritingOptions {
  /** Where they are. */
  readonly Bucket: string;
  /** Which of them are meant. Default: all. What the journal's run has begun of an object is finished although it looks otherwise by now. */
  readonly filter?: ObjectFilter;
  /** Which of them are meant, by their envelopes, which takes a look at each; as `filter`. Default: all. */
  readonly envelopeFilter?: EnvelopeFilter;
  /** Objects that are worked on at once. Default 16. */
  readonly concurrency?: number;
  /** Objects a second at most. Default: no limit. */
  readonly rate?: number;
  /** Do everything but what changes something. Default false. */
  readonly dryRun?: boolean;
  /** Where the run records what it does. Default: nowhere, so that a second run does again what the old key still opens. */
  readonly journal?: JournalOptions;
  /** Objects whose new wrap the new keyring did not open, after which the run ends: all would fail alike. Default 3. */
  readonly maxUnopenedWraps?: number;
  /** Wraps of keyrings of your own, as their `wrapAlgorithms` have them. Default: the official ones only. */
  readonly wrapAlgorithms?: readonly WrapAlgorithm[];
  /** Ends the run, which then throws. What was sent by then may be done. */
  readonly abortSignal?: AbortSignal;
}

const OWN: OptionNames<Omit<RewritingOptions, "Bucket" | "abortSignal">> = {
  filter: true,
  envelopeFilter: true,
  concurrency: true,
  rate: true,
  dryRun: true,
  journal: true,
  maxUnopenedWraps: true,
  wrapAlgorithms: true,
};

/** What of the options is one object's, which the function for one checks. */
export function withoutRewriting<Options extends object>(options: Options & RewritingOptions): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !(name in OWN))) as Options;
}

/** Which object is meant of those that the options are of. */
export function objectOf(
  {
    Bucket,
    ExpectedBucketOwner,
    RequestPayer,
    SSECustomerAlgorithm,
    SSECustomerKey,
    SSECustomerKeyMD5,
    abortSignal,
  }: Omit<ObjectAside, "Key">,
  Key: string,
): ObjectAside {
  const customers = { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
  return { Bucket, Key, ExpectedBucketOwner, RequestPayer, ...customers, abortSignal };
}

/** Throws `invalid-argument`. */
export function checkOptions({ rate, journal, dryRun = false, maxUnopenedWraps = 3 }: RewritingOptions): void {
  if (rate !== undefined && !(typeof rate === "number" && rate > 0)) throw invalid("rate must be objects a second.");
  if (!Number.isSafeInteger(maxUnopenedWraps) || maxUnopenedWraps < 1) {
    throw invalid("maxUnopenedWraps must be a number of objects, 1 or more.");
  }
  if (typeof dryRun !== "boolean") throw invalid("dryRun must be true or false.");
  if (journal === undefined) return;
  for (const name of ["path", "target"] as const) {
    if (typeof journal[name] !== "string" || journal[name] === "") throw invalid(`The journal must be told a ${name}.`);
  }
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
