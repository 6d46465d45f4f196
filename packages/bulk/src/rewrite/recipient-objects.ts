import type { S3Client } from "@aws-sdk/client-s3";
import {
  type AddedRecipient,
  type AddRecipientOptions,
  addRecipient,
  httpStatusOf,
  isRewrapped,
  PartlyRemovedError,
  type RecipientOptions,
  RecipientStateError,
  type RemovedRecipient,
  type RemoveRecipientOptions,
  recipientName,
  removeRecipient,
} from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import { checkedEarly } from "../checked-early.js";
import { annotationsOf, fileOf, textHash } from "../journal/envelope-hash.js";
import type { Intent } from "../journal/journal-lines.js";
import type { StandingEnvelopes } from "../journal/standing-envelopes.js";
import type { StoredObject } from "../sources/stored-object.js";
import { notDone } from "./not-done.js";
import { rewriteObjects } from "./rewrite-objects.js";
import { type RewritingOptions, withoutRewriting } from "./rewrite-options.js";
import { type Attempt, type Result, type Rewriting, suffixesNamed, type Written } from "./rewriting.js";
import type { RewrittenObject } from "./rewritten-object.js";

/** Which objects get which further key, and where that goes: as one object does. */
export interface AddRecipientToObjectsOptions
  extends Omit<AddRecipientOptions, "Bucket" | "Key" | "VersionId" | "abortSignal" | "dryRun">,
    RewritingOptions {}

/** Which objects lose which recipient. */
export interface RemoveRecipientFromObjectsOptions
  extends Omit<RemoveRecipientOptions, "Bucket" | "Key" | "VersionId" | "abortSignal" | "dryRun">,
    RewritingOptions {}

/**
 * Gives many objects a further recipient, as `addRecipient` does one, and gives a result for each, in their order. Of one that has the
 * recipient, whose key opens it, nothing is changed: a second run does what the first has not. Older versions are left as they are.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError `invalid-argument` for wrong options, and for a journal of another run or a damaged one;
 *   `transfer-in-use` while another process has the journal; `invalid-configuration`, as `rewrapObjects`; what `objects` throws.
 *   What is wrong with one object is a result
 */
export async function* addRecipientToObjects(
  client: S3Client,
  objects: AsyncIterable<StoredObject>,
  options: AddRecipientToObjectsOptions,
): AsyncGenerator<RewrittenObject> {
  const one = withoutRewriting<Omit<AddRecipientOptions, "Key">>(options);
  await checkedEarly((abortSignal) => addRecipient(client, { ...one, Key: "-", abortSignal }));
  const adding = new Adding(client, one, options.dryRun === true);
  for await (const each of rewriteObjects(client, objects, options, adding)) yield { ...each, recipient: adding.name };
}

/**
 * Removes a recipient from many objects, as `removeRecipient` does from one, and gives a result for each, in their order. What may
 * be readable by that recipient alone is refused. Uses no key.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError `invalid-argument` for wrong options, and for a journal of another run or a damaged one;
 *   `transfer-in-use` while another process has the journal; what `objects` throws. What is wrong with one object is a result
 */
export async function* removeRecipientFromObjects(
  client: S3Client,
  objects: AsyncIterable<StoredObject>,
  options: RemoveRecipientFromObjectsOptions,
): AsyncGenerator<RewrittenObject> {
  const one = withoutRewriting<Omit<RemoveRecipientOptions, "Key">>(options);
  await checkedEarly((abortSignal) => removeRecipient(client, { ...one, Key: "-", abortSignal }));
  const removing = new Removing(client, one, options.dryRun === true);
  for await (const each of rewriteObjects(client, objects, options, removing)) {
    yield { ...each, recipient: removing.name };
  }
}

/** Each wrap is changed by one request: what of an object was not done, the next run finds and does, and nothing is to be finished. */
abstract class OfRecipient<Options extends Omit<RecipientOptions, "Key">> implements Rewriting {
  abstract readonly command: Rewriting["command"];
  readonly places: readonly string[];
  readonly older: Result = {
    outcome: "refused",
    code: "unsupported-operation",
    problem: "It is an older version, whose recipients stay as they are.",
    todo: "Change each by its VersionId, or let a lifecycle rule remove noncurrent versions.",
  };
  readonly client: S3Client;
  readonly options: Options;
  readonly isDry: boolean;

  constructor(client: S3Client, options: Options, isDry: boolean) {
    this.client = client;
    this.options = options;
    this.isDry = isDry;
    this.places = [annotationsOf(this.name), fileOf(`.${this.name}`)];
  }

  get name(): string {
    return recipientName(this.options.recipient);
  }

  get isNamed(): boolean {
    return false;
  }

  get suffixes(): readonly string[] {
    return suffixesNamed([this.name]);
  }

  abstract write(Key: string, attempt: Attempt): Promise<Result>;

  abstract isCurrent(Key: string): Promise<boolean>;

  /** What stands is what this process has made of it: what another one had recorded, looks as it did then. */
  isFinished({ looks }: StandingEnvelopes, _intents: readonly Intent[], written?: Written): boolean {
    if (written === undefined || looks.etag !== written.etag || looks.version !== written.version) return false;
    return this.isAsMeant(
      this.places.flatMap((place) => looks.wraps[place] ?? []),
      written,
    );
  }

  /** @param hashes of what stands of the recipient */
  protected abstract isAsMeant(hashes: readonly string[], written: Written): boolean;

  isBegun(): boolean {
    return false;
  }

  async finish(): Promise<void> {}
}

function writtenTo({ ETag: etag, VersionId: version }: Pick<AddedRecipient, "ETag" | "VersionId">): Written {
  return { etag, version, of: version };
}

class Adding extends OfRecipient<Omit<AddRecipientOptions, "Key">> {
  readonly command = "recipients add";

  override get isNamed(): boolean {
    return this.options.instructionFileSuffix !== undefined;
  }

  async write(Key: string, { afterWrite }: Attempt): Promise<Result> {
    try {
      const added = await addRecipient(this.client, { ...this.options, Key, dryRun: this.isDry });
      const { place, wrapAlgorithm, verified, isReencrypted } = added;
      if (!this.isDry) afterWrite({ ...writtenTo(added), text: textHash(added.text) });
      const wraps = [{ place, wrapAlgorithm, verified, isReencrypted }];
      return { outcome: this.isDry ? "planned" : "added", wraps };
    } catch (error) {
      if (!(error instanceof RecipientStateError)) throw error;
      if (await this.#opens(Key)) return { outcome: "current", problem: "The recipient's key opens it already." };
      // A key that cannot be used here opens nothing, whose wrap it is. What is stored of it is no proof.
      if (this.options.verify === "none") return this.#mayBeAnothers;
      throw new S3EncryptionError(
        "invalid-argument",
        `"${this.name}" is a recipient of it already, and its key is another: remove it first, or choose another name.`,
        { cause: error },
      );
    }
  }

  /** Undefined where the key, which is not known to be usable here, could not be asked. */
  async #opens(Key: string): Promise<boolean | undefined> {
    try {
      return await this.isCurrent(Key);
    } catch (error) {
      const isUnknown = error instanceof S3EncryptionError && error.code === "key-unavailable";
      if (isUnknown && this.options.verify === "none") return undefined;
      throw error;
    }
  }

  get #mayBeAnothers(): Result {
    return {
      outcome: "unknown",
      problem: `"${this.name}" is a recipient of it already, and whether by this key is not known: it does not open the wrap here.`,
      todo: "Have the recipient read it; where they cannot, remove the recipient first, or choose another name. A run with a journal knows what it has added.",
    };
  }

  async isCurrent(Key: string): Promise<boolean> {
    const { to, in: place, recipient, dryRun: _, allowLoss: __, instructionFileSuffix: ___, ...one } = this.options;
    if (place !== "instruction-file") return await isRewrapped(this.client, { ...one, Key, to, recipient });
    return await isRewrapped(this.client, { ...one, Key, to: { ...to, instructionFileSuffix: `.${this.name}` } });
  }

  protected isAsMeant(hashes: readonly string[], { text }: Written): boolean {
    return text !== undefined && hashes.includes(text);
  }
}

class Removing extends OfRecipient<Omit<RemoveRecipientOptions, "Key">> {
  readonly command = "recipients remove";

  async write(Key: string, { afterWrite, withoutWraps }: Attempt): Promise<Result> {
    try {
      const done = await removeRecipient(this.client, { ...this.options, Key, dryRun: this.isDry });
      if (!this.isDry) afterWrite(writtenTo(done));
      return resultOf(done, this.isDry);
    } catch (error) {
      if (error instanceof RecipientStateError) {
        return (await withoutWraps()) ?? { outcome: "current", problem: "It has no such recipient." };
      }
      if (error instanceof PartlyRemovedError) return partlyRemoved(error);
      if (httpStatusOf(error) === 403) return { ...notDone(error), todo: ALLOW };
      throw error;
    }
  }

  async isCurrent(Key: string): Promise<boolean> {
    try {
      await removeRecipient(this.client, { ...this.options, Key, dryRun: true });
      return false;
    } catch (error) {
      if (error instanceof RecipientStateError) return true;
      throw error;
    }
  }

  protected isAsMeant(hashes: readonly string[]): boolean {
    return hashes.length === 0;
  }
}

/** What the rest failed by, with what is gone. */
function partlyRemoved({ message: problem, removed, remaining, cause }: PartlyRemovedError): Result {
  const { outcome, code, todo } = notDone(cause);
  return {
    ...(code === undefined ? {} : { code }),
    outcome: outcome === "unknown" ? outcome : "failed",
    removed,
    remaining,
    problem,
    todo: httpStatusOf(cause) === 403 || todo === undefined ? ALLOW : todo,
  };
}

const ALLOW =
  "Allow s3:DeleteObjectAnnotation and s3:DeleteObject, and reading: s3:GetObject, s3:ListObjectAnnotations, s3:GetObjectAnnotation and s3:ListBucket. Run it again.";

function resultOf({ removed, remaining, unknown }: RemovedRecipient, isDry: boolean): Result {
  if (unknown.length > 0) {
    return {
      outcome: "unknown",
      removed,
      remaining,
      problem: `Not all of it may be looked at: ${unknown.map((place) => NAMES[place]).join(" and ")}.`,
      todo: "Allow s3:ListObjectAnnotations, s3:GetObject and s3:ListBucket. Run it again.",
    };
  }
  if (remaining.length === 0) return { outcome: isDry ? "planned" : "removed", removed };
  return {
    outcome: "failed",
    code: "content-mismatch",
    removed,
    remaining,
    problem: "Somebody has put the recipient there meanwhile.",
    todo: "Run it again.",
  };
}

const NAMES = { annotation: "its annotations", "instruction-file": "its file", metadata: "its metadata" } as const;
