import { DeleteObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import {
  httpStatusOf,
  isRewrapped,
  type MigrateOptions,
  migrateObject,
  plainClientOf,
  putBackAnnotations,
} from "@s3ec/client";
import { auditObject } from "../audit/audit-object.js";
import { auditingOf } from "../audit/audit-objects.js";
import { MESSAGE_START_LENGTH, startsLikeMessage } from "../audit/message-start.js";
import { storedBytes } from "../audit/stored-text.js";
import { checkedEarly } from "../checked-early.js";
import { DESCRIPTION } from "../journal/envelope-hash.js";
import type { Intent } from "../journal/journal-lines.js";
import type { StandingEnvelopes } from "../journal/standing-envelopes.js";
import type { StoredObject } from "../sources/stored-object.js";
import { standingIntent } from "./intents.js";
import { rewriteObjects } from "./rewrite-objects.js";
import { objectOf, type RewritingOptions, withoutRewriting } from "./rewrite-options.js";
import { type Attempt, OPENED, type Rewriting, suffixesNamed, type Written, whyNotDone } from "./rewriting.js";
import type { RewrittenObject } from "./rewritten-object.js";
import { tagOf } from "./stored-tag.js";

/** Which objects are written anew, and how: as one object is. */
export interface MigrateObjectsOptions
  extends Omit<MigrateOptions, "Bucket" | "Key" | "abortSignal" | "beforeWrite" | "dryRun" | "readWithTarget">,
    RewritingOptions {}

type OneOptions = Omit<MigrateOptions, "Key">;

/**
 * Writes many objects anew, as `migrateObject` does one, and gives a result for each, in their order. What is newer wins: an object
 * that others write meanwhile is theirs. Older versions stay as they are.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError `invalid-argument` for wrong options, and for a journal of another run or a damaged one;
 *   `transfer-in-use` while another process has the journal; `invalid-configuration`, as `rewrapObjects`; what `objects` throws.
 *   What is wrong with one object is a result
 */
export async function* migrateObjects(
  client: S3Client,
  objects: AsyncIterable<StoredObject>,
  options: MigrateObjectsOptions,
): AsyncGenerator<RewrittenObject> {
  const one = withoutRewriting<OneOptions>(options);
  await checkedEarly((abortSignal) => migrateObject(client, { ...one, Key: "-", abortSignal }));
  yield* rewriteObjects(client, objects, options, new Migrating(client, one, options.dryRun === true));
}

class Migrating implements Rewriting {
  readonly command = "migrate";
  readonly places: readonly string[] = [];
  readonly suffixes: readonly string[];
  readonly isNamed = false;
  readonly #client: S3Client;
  readonly #options: OneOptions;
  readonly #isDry: boolean;

  constructor(client: S3Client, options: OneOptions, isDry: boolean) {
    this.#client = client;
    this.#options = options;
    this.suffixes = suffixesNamed([options.instructionFileSuffix]);
    this.#isDry = isDry;
  }

  async write(
    Key: string,
    { beforeWrite, afterWrite, standing, intents }: Attempt,
  ): Promise<Omit<RewrittenObject, "Key">> {
    // What broke off behind the object is done anew: the old key does not open it any more.
    const readWithTarget = standing !== undefined && this.isBegun(standing, intents);
    const call = { ...this.#options, Key, beforeWrite, dryRun: this.#isDry, readWithTarget };
    try {
      const done = await migrateObject(this.#client, call);
      const { changed, droppedRecipients, replacedVersionId } = done;
      if (!this.#isDry) afterWrite({ etag: done.ETag, version: done.VersionId, of: replacedVersionId });
      return {
        outcome: this.#isDry ? "planned" : "migrated",
        changed,
        ...(droppedRecipients.length === 0 ? {} : { droppedRecipients }),
        ...(replacedVersionId === undefined ? {} : { replacedVersionId }),
      };
    } catch (caught) {
      const error = await whyNotDone(caught, () => this.isCurrent(Key, intents));
      if (error !== undefined) throw error;
      const ofMessages = intents.filter(isOfMessage);
      if (ofMessages.length > 0 && !this.#isDry) await this.#finish(Key, ofMessages);
      return OPENED;
    }
  }

  isFinished(standing: StandingEnvelopes, intents: readonly Intent[], written?: Written): boolean {
    const intent = standingIntent(standing, intents) ?? messageWritten(standing, intents, written);
    const { wraps } = standing.looks;
    const beside = Object.entries(intent?.beside ?? {}).filter(([place]) => place !== DESCRIPTION);
    return intent !== undefined && beside.every(([place, hash]) => wraps[place]?.includes(hash) === true);
  }

  isBegun(standing: StandingEnvelopes, intents: readonly Intent[]): boolean {
    return standingIntent(standing, intents) !== undefined;
  }

  /** Puts others' annotations back, and removes the files that held keys of the object before. */
  async finish(Key: string, standing: StandingEnvelopes, intents: readonly Intent[]): Promise<void> {
    const intent = standingIntent(standing, intents);
    await this.#finish(Key, intent === undefined ? [] : [intent]);
  }

  async #finish(Key: string, intents: readonly Intent[]): Promise<void> {
    await putBackAnnotations(this.#client, objectOf(this.#options, Key));
    for (const { key, etag } of intents.flatMap(({ removes = [] }) => removes)) {
      if ((await tagOf(this.#client, this.#options, key)) !== etag) continue;
      const { Bucket, abortSignal } = this.#options;
      const remove = new DeleteObjectCommand({ Bucket, Key: key, IfMatch: etag });
      const request = abortSignal === undefined ? {} : { abortSignal };
      await plainClientOf(this.#client)
        .send(remove, request)
        .catch((error: unknown) => {
          // Somebody else's by now.
          if (![404, 409, 412].includes(httpStatusOf(error) ?? 0)) throw error;
        });
    }
  }

  async isCurrent(Key: string, intents: readonly Intent[]): Promise<boolean> {
    const { to, Bucket, encryptionContext, abortSignal } = this.#options;
    if (to === undefined) return false;
    const request = abortSignal === undefined ? {} : { abortSignal };
    if (intents.some(isOfMessage)) {
      // Whatever is beside it: files of the object before.
      const start = await storedBytes(plainClientOf(this.#client), { Bucket, Key }, MESSAGE_START_LENGTH, request);
      if (start === undefined || !startsLikeMessage(start)) return false;
      await migrateObject(this.#client, { ...this.#options, Key, readWithTarget: true, dryRun: true });
      return true;
    }
    const { keyring, materialsManager, encryptionContext: context = encryptionContext } = to;
    const wrapping = keyring === undefined ? { materialsManager } : { keyring };
    const target = Object.fromEntries(Object.entries(wrapping).filter(([, value]) => value !== undefined));
    const opening = { ...target, ...(context === undefined ? {} : { encryptionContext: context }) };
    if (!(await isRewrapped(this.#client, { Bucket, Key, to: opening, ...request }))) return false;
    const audit = auditingOf(this.#client, { Bucket, ...request }, true);
    const { isCommitting } = await auditObject(audit, { Key });
    return isCommitting === true;
  }
}

/** A message has nothing in its metadata that would tell it from another: it is the one that S3 has just named. */
function messageWritten(
  { looks }: StandingEnvelopes,
  intents: readonly Intent[],
  written: Written | undefined,
): Intent | undefined {
  const intent = intents.at(-1);
  const isIt = written?.etag !== undefined && written.etag === looks.etag && written.version === looks.version;
  return intent !== undefined && isOfMessage(intent) && isIt ? intent : undefined;
}

function isOfMessage({ intent }: Intent): boolean {
  return intent === "";
}
