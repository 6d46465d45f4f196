import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { httpStatusOf, type PlannedEnvelope, plainClientOf, putDescription } from "@s3ec/client";
import { isError, S3EncryptionError, UnopenedWrapError } from "@s3ec/materials";
import { auditObject } from "../audit/audit-object.js";
import { auditingOf, concurrencyOf } from "../audit/audit-objects.js";
import type { AuditedObject, AuditState } from "../audit/audited-object.js";
import { whyNotPlain } from "../audit/not-plain.js";
import { inParallel } from "../in-parallel.js";
import { DESCRIPTION, textHash } from "../journal/envelope-hash.js";
import { Journal, JournalFailure, type ObjectRecords } from "../journal/journal.js";
import type { Intent } from "../journal/journal-lines.js";
import { isAlike, type StandingEnvelopes, standingEnvelopes } from "../journal/standing-envelopes.js";
import { paced } from "../paced.js";
import type { ObjectFilter } from "../sources/object-filter.js";
import type { StoredObject } from "../sources/stored-object.js";
import { intentOf, missingDescription } from "./intents.js";
import { MESSAGE, notDone, notLookedAt, OLDER, partly } from "./not-done.js";
import { checkOptions, objectOf, type RewritingOptions } from "./rewrite-options.js";
import { PartlyDone, type Result, type Rewriting, type Written } from "./rewriting.js";
import type { RewriteOutcome, RewrittenObject } from "./rewritten-object.js";

/**
 * Does something to each object, and gives a result for each that is meant, in their order.
 *
 * @throws S3EncryptionError `invalid-argument` for wrong options and for a journal of another run; `transfer-in-use`;
 *   `invalid-configuration` where the new keyring does not open what it wraps; what `objects` throws; `NoSuchBucket`
 */
export async function* rewriteObjects(
  client: S3Client,
  objects: AsyncIterable<StoredObject>,
  options: RewritingOptions,
  rewriting: Rewriting,
): AsyncGenerator<RewrittenObject> {
  const { Bucket, journal: kept, filter, rate, abortSignal, dryRun = false } = options;
  const concurrency = concurrencyOf(options);
  checkOptions(options);
  const journal =
    kept === undefined
      ? undefined
      : await Journal.open(kept.path, { command: rewriting.command, bucket: Bucket, target: kept.target }, dryRun);
  const run = new Run(client, options, rewriting, journal);
  try {
    const listed = paced(meantOrBegun(objects, filter, journal), rate, abortSignal);
    for await (const result of inParallel(listed, concurrency, (each) => run.result(each))) {
      if (result === "stopped") break;
      if (result !== undefined && !run.isTooMany(result)) yield result;
    }
    // What was under way by then has been told, but for more of the same.
    if (run.isStopped) throw run.stopped();
  } finally {
    await journal?.close();
  }
  abortSignal?.throwIfAborted();
}

/** An object, and whether the caller's filter means it. */
interface Listed {
  readonly stored: StoredObject;
  readonly isMeant: boolean;
}

/** What a run has begun of an object is gone on with, although by now it may be none that a filter means. */
async function* meantOrBegun(
  objects: AsyncIterable<StoredObject>,
  filter: ObjectFilter | undefined,
  journal: Journal | undefined,
): AsyncGenerator<Listed> {
  for await (const stored of objects) {
    const isMeant = filter === undefined || filter(stored);
    if (isMeant || (await hasRecords(journal, stored.Key))) yield { stored, isMeant };
  }
}

async function hasRecords(journal: Journal | undefined, Key: string): Promise<boolean> {
  try {
    const { intents = [], done = [] } = (await journal?.recordsOf(Key)) ?? NO_RECORDS;
    return intents.length + done.length > 0;
  } catch (error) {
    throw error instanceof JournalFailure ? error.cause : error;
  }
}

class Run {
  readonly #plain: S3Client;
  readonly #options: RewritingOptions;
  readonly #rewriting: Rewriting;
  readonly #journal: Journal | undefined;
  readonly #auditing: ReturnType<typeof auditingOf>;
  readonly #request: { readonly abortSignal?: AbortSignal };
  readonly #unopened = new Map<RewrittenObject, UnopenedWrapError>();
  #told = 0;

  constructor(client: S3Client, options: RewritingOptions, rewriting: Rewriting, journal: Journal | undefined) {
    const { Bucket, abortSignal, wrapAlgorithms } = options;
    this.#plain = plainClientOf(client);
    this.#options = options;
    this.#rewriting = rewriting;
    this.#journal = journal;
    this.#request = abortSignal === undefined ? {} : { abortSignal };
    const own = wrapAlgorithms === undefined ? {} : { wrapAlgorithms };
    this.#auditing = auditingOf(client, { Bucket, messages: true, ...this.#request, ...own }, true, rewriting.suffixes);
  }

  /** Undefined for what a filter leaves out. Throws nothing but the caller's end. */
  async result({ stored, isMeant }: Listed): Promise<RewrittenObject | "stopped" | undefined> {
    const { Key, VersionId, isLatest, isDeleteMarker, isPrefix } = stored;
    this.#options.abortSignal?.throwIfAborted();
    if (this.isStopped) return "stopped";
    const named = { Key, ...(VersionId === undefined ? {} : { VersionId }) };
    if (isPrefix === true) return undefined;
    const isOlder = VersionId !== undefined && isLatest !== true;
    if (!isMeant && (isDeleteMarker === true || isOlder)) return undefined;
    if (isDeleteMarker === true) return { ...named, outcome: "nothing" };
    if (isOlder) return { ...named, ...(this.#rewriting.older ?? OLDER) };
    try {
      const result = await this.#rewritten(stored, isMeant);
      return result === undefined ? undefined : { ...named, ...result };
    } catch (caught) {
      const error = caught instanceof PartlyDone ? caught.cause : caught;
      if (error instanceof JournalFailure) throw error.cause;
      this.#options.abortSignal?.throwIfAborted();
      const not = await this.#notDone(stored, error);
      const result = { ...named, ...(caught instanceof PartlyDone ? partly(caught, not) : not) };
      if (error instanceof UnopenedWrapError) this.#unopened.set(result, error);
      return result;
    }
  }

  /** Whether the run ends with fewer results like this one. */
  isTooMany(result: RewrittenObject): boolean {
    if (!this.#unopened.has(result)) return false;
    this.#told += 1;
    return this.#told > this.#maxUnopened;
  }

  stopped(): S3EncryptionError {
    const [cause] = this.#unopened.values();
    return new S3EncryptionError(
      "invalid-configuration",
      `Stopped after ${this.#maxUnopened} objects whose new wrap the new keyring did not open, since every other would fail alike. ${cause?.message ?? ""}`,
      { cause },
    );
  }

  get isStopped(): boolean {
    return this.#unopened.size >= this.#maxUnopened;
  }

  get #maxUnopened(): number {
    return this.#options.maxUnopenedWraps ?? 3;
  }

  /** With the version that it is of, where the source named one: which is the current one, a listing does not know for long. */
  async #rewritten(stored: StoredObject, isMeant: boolean): Promise<Omit<RewrittenObject, "Key"> | undefined> {
    const { Key, VersionId } = stored;
    const of = (version: string | undefined) =>
      VersionId === undefined || version === undefined ? {} : { VersionId: version };
    const journal = this.#journal;
    const { intents: earlier, done } = (await journal?.recordsOf(Key)) ?? NO_RECORDS;
    const found = earlier.length + done.length > 0 ? await this.#standing(Key, earlier, done) : undefined;
    const standing = found === undefined ? undefined : await this.#described(Key, found, earlier);
    if (standing !== undefined) {
      const before = { ...DONE_BEFORE, ...of(standing.looks.version) };
      if (done.some((each) => isAlike(each, standing.looks))) return before;
      if (this.#rewriting.isFinished(standing, earlier)) {
        if (this.#isDry) return before;
        await this.#rewriting.finish(Key, standing, earlier);
        journal?.done({ key: Key, done: standing.looks });
        return before;
      }
    }
    // What was begun looks otherwise by now: it has another format, wrap and time.
    const isBegun = standing !== undefined && this.#rewriting.isBegun(standing, earlier);
    if (!isBegun && VersionId !== undefined && (await this.#isOlder(Key, VersionId))) {
      return isMeant ? (this.#rewriting.older ?? OLDER) : undefined;
    }
    if (!isBegun) {
      const left = isMeant ? await this.#leftOut(Key) : "left out";
      if (left !== undefined) return left === "left out" ? undefined : left;
    }
    const intents = [...earlier];
    const beforeWrite = async (envelope: PlannedEnvelope): Promise<void> => {
      const intent = intentOf(Key, envelope);
      intents.push(intent);
      await journal?.intend(intent);
    };
    let written: Written | undefined;
    const afterWrite = (object: Written): void => {
      written = object;
    };
    const withoutWraps = () => this.#withoutWraps(stored);
    const attempt = { beforeWrite, afterWrite, standing, intents: earlier, withoutWraps };
    const result = await this.#rewriting.write(Key, attempt);
    if (journal !== undefined && !this.#isDry) await this.#record(journal, Key, result, intents, written);
    return { ...result, ...of(written?.of ?? (isBegun ? standing?.looks.version : undefined)) };
  }

  /** Whether another version is the current one by now; false where S3 tells no versions. */
  async #isOlder(Key: string, VersionId: string): Promise<boolean> {
    const { abortSignal: _, ...object } = objectOf(this.#options, Key);
    const head = await this.#plain.send(new HeadObjectCommand(object), this.#request);
    return head.VersionId !== undefined && head.VersionId !== VersionId;
  }

  /** What the filter by envelopes has of an object that is not done for it; undefined for one that is meant. */
  async #leftOut(Key: string): Promise<Result | "left out" | undefined> {
    const { envelopeFilter } = this.#options;
    if (envelopeFilter === undefined) return undefined;
    const found = await auditObject(this.#auditing, { Key });
    // What is not there is no object that a filter could leave out.
    if (found.state === "nothing") return { outcome: "nothing" };
    const isMeant = MAY_BE_ANY.has(found.state) ? undefined : envelopeFilter(found);
    if (isMeant === undefined) return notLookedAt(found.problem);
    if (isMeant) return undefined;
    const why = found.state === "plain" ? await this.#whyNotPlain({ Key }) : undefined;
    return why === undefined ? "left out" : notLookedAt(why);
  }

  /** Where a file is named, no other one matters. */
  async #whyNotPlain(stored: StoredObject): Promise<string | undefined> {
    return this.#rewriting.isNamed ? undefined : await whyNotPlain(this.#auditing, stored);
  }

  /** That an object is done is recorded of what stands, where this process has written it, or opened it since. */
  async #record(
    journal: Journal,
    Key: string,
    { outcome }: Result,
    intents: readonly Intent[],
    written: Written | undefined,
  ): Promise<void> {
    const isWritten = WRITTEN.has(outcome);
    if (!isWritten && outcome !== "current") return;
    // It is done: what cannot be looked at now is looked at by the next run.
    const standing = await this.#standing(Key, intents).catch(() => undefined);
    if (standing === undefined) return;
    const isDone = isWritten
      ? this.#rewriting.isFinished(standing, intents, written) && missingDescription(standing, intents) === undefined
      : await this.#rewriting.isCurrent(Key, intents).catch(() => false);
    if (isDone) journal.done({ key: Key, done: standing.looks });
  }

  /** A process may have died between the object and what describes it, which then tells of the wrap before. */
  async #described(Key: string, standing: StandingEnvelopes, intents: readonly Intent[]): Promise<StandingEnvelopes> {
    const text = missingDescription(standing, intents);
    if (text === undefined || this.#isDry) return standing;
    const { looks } = standing;
    const { Bucket } = this.#options;
    try {
      await putDescription(this.#plain, { Bucket, Key, ETag: looks.etag, text, ...this.#request });
    } catch (error) {
      // In such a store nothing can be described.
      if (isError(error) && error.cause instanceof S3EncryptionError) return standing;
      throw error;
    }
    return { ...standing, looks: { ...looks, wraps: { ...looks.wraps, [DESCRIPTION]: [textHash(text)] } } };
  }

  async #standing(
    Key: string,
    intents: readonly Intent[],
    done: ObjectRecords["done"] = [],
  ): Promise<StandingEnvelopes | undefined> {
    const { Bucket } = this.#options;
    const intended = intents.flatMap(({ place, beside = {} }) => [place, ...Object.keys(beside)]);
    const seen = done.flatMap(({ wraps }) => Object.keys(wraps));
    const places = [...this.#rewriting.places, ...intended, ...seen];
    return await standingEnvelopes(this.#plain, { Bucket, Key }, places, this.#request);
  }

  get #isDry(): boolean {
    return this.#options.dryRun === true;
  }

  async #notDone(stored: StoredObject, error: unknown): Promise<Result> {
    const { Key } = stored;
    if (httpStatusOf(error) === 404) {
      // Not always the object: an upload in parts that somebody has aborted is missing, too.
      const { state } = await auditObject(this.#auditing, { Key });
      return state === "nothing" ? { outcome: "nothing" } : notDone(error);
    }
    if (!(error instanceof S3EncryptionError) || error.code !== "not-encrypted") return notDone(error);
    const found = await auditObject(this.#auditing, { Key });
    const { state, problem } = found;
    if (state === "plain") {
      const why = problem ?? (await this.#whyNotPlain(stored));
      if (why === undefined && found.wraps.length === 0) return PLAIN;
      return { ...notDone(error), ...(why === undefined ? {} : { problem: why }) };
    }
    if (state === "nothing") return { outcome: "nothing" };
    if (state === "message") return MESSAGE;
    const file = fileResult(found);
    if (file !== undefined) return file;
    if (state === "encrypted" && problem === undefined && this.#rewriting.isNamed) {
      return { outcome: "skipped", problem: error.message };
    }
    return problem === undefined ? notDone(error) : { ...notDone(error), problem };
  }

  /** What says of itself that it is encrypted may have wraps, and what may have an envelope somewhere. */
  async #withoutWraps(stored: StoredObject): Promise<Result | undefined> {
    const found = await auditObject(this.#auditing, { Key: stored.Key });
    const { state, problem, wraps } = found;
    if (state === "nothing") return { outcome: "nothing" };
    if (state !== "plain") return fileResult(found);
    const isPlain = problem === undefined && wraps.length === 0 && (await this.#whyNotPlain(stored)) === undefined;
    return isPlain ? PLAIN : undefined;
  }
}

/** Of a file beside an object, or what is left of one. */
function fileResult({ state, owner }: AuditedObject): Result | undefined {
  if (state !== "instruction-file" && state !== "orphaned-file") return undefined;
  const of = owner === undefined ? "an object that is not there" : JSON.stringify(owner);
  return { outcome: "skipped", problem: `It is a wrapped key of ${of}.` };
}

const PLAIN = { outcome: "skipped", problem: "It is not encrypted." } as const;
/** What this process has done. */
const WRITTEN: ReadonlySet<RewriteOutcome> = new Set(["rewrapped", "migrated", "added", "removed"]);
const NO_RECORDS: ObjectRecords = { intents: [], done: [] };
/** What may have any envelope. */
const MAY_BE_ANY: ReadonlySet<AuditState> = new Set(["unknown", "unreadable"]);
const DONE_BEFORE = {
  outcome: "current",
  problem: "The journal says that it is done, and it stands as it did then.",
} as const;
