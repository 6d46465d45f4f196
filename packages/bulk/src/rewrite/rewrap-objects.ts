import type { S3Client } from "@aws-sdk/client-s3";
import { isRewrapped, putBackAnnotations, type RewrapOptions, rewrapObject } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import { checkedEarly } from "../checked-early.js";
import { annotationsOf, fileOf, METADATA } from "../journal/envelope-hash.js";
import type { Intent } from "../journal/journal-lines.js";
import type { StandingEnvelopes } from "../journal/standing-envelopes.js";
import type { StoredObject } from "../sources/stored-object.js";
import { isIntended } from "./intents.js";
import { rewriteObjects } from "./rewrite-objects.js";
import { objectOf, type RewritingOptions, withoutRewriting } from "./rewrite-options.js";
import { type Attempt, OPENED, PartlyDone, type Rewriting, suffixesNamed, whyNotDone } from "./rewriting.js";
import type { RewrittenObject } from "./rewritten-object.js";

/** Which objects are re-wrapped, and how: as one object is. */
export interface RewrapObjectsOptions
  extends Omit<RewrapOptions, "Bucket" | "Key" | "VersionId" | "abortSignal" | "beforeWrite" | "dryRun">,
    RewritingOptions {
  /**
   * Recipients whose wraps are written after each object's own, with what `to` has for them: the annotation of that name, or the
   * file at the object's key plus a dot and the name. An object without one has nothing to be written there. Default: none.
   */
  readonly recipients?: readonly string[];
}

/** One wrap of an object. */
interface Target {
  /** Of a file or an annotation: the recipient. */
  readonly name: string | undefined;
  readonly options: Pick<RewrapOptions, "instructionFileSuffix" | "recipient">;
  /** Whether an object that has no such wrap is done all the same. */
  readonly isOptional: boolean;
}

/**
 * Gives the data keys of many objects another wrap, as `rewrapObject` does one's, and gives a result for each, in their order.
 * What is newer wins: an object that others write meanwhile is theirs. Older versions are not re-wrapped.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError `invalid-argument` for wrong options, and for a journal of another run or a damaged one;
 *   `transfer-in-use` while another process has the journal; `invalid-configuration` where the new keyring does not open what it
 *   wraps; what `objects` throws. What is wrong with one object is a result
 */
export async function* rewrapObjects(
  client: S3Client,
  objects: AsyncIterable<StoredObject>,
  options: RewrapObjectsOptions,
): AsyncGenerator<RewrittenObject> {
  const { recipients = [], ...rest } = options;
  const one = withoutRewriting<Omit<RewrapOptions, "Key">>(rest);
  await checkedEarly((abortSignal) => rewrapObject(client, { ...one, Key: "-", abortSignal }));
  yield* rewriteObjects(client, objects, options, new Rewrapping(client, one, recipients, options.dryRun === true));
}

class Rewrapping implements Rewriting {
  readonly command = "rewrap";
  readonly #client: S3Client;
  readonly #options: Omit<RewrapOptions, "Key">;
  readonly #targets: readonly Target[];
  readonly #isDry: boolean;
  readonly suffixes: readonly string[];
  readonly isNamed: boolean;

  constructor(client: S3Client, options: Omit<RewrapOptions, "Key">, recipients: readonly string[], isDry: boolean) {
    this.#client = client;
    this.#options = options;
    this.#isDry = isDry;
    const { to, instructionFileSuffix, recipient } = options;
    const name = to.instructionFileSuffix ?? instructionFileSuffix ?? recipient;
    if (name !== undefined && recipients.length > 0) {
      throw invalid(
        "Name recipients to be re-wrapped after each object's own key, or the one that is re-wrapped in its place.",
      );
    }
    const own = { name: name?.replace(/^\.+/, ""), options: {}, isOptional: false };
    this.#targets = [own, ...recipients.map(furtherTarget)];
    this.suffixes = suffixesNamed([to.instructionFileSuffix, instructionFileSuffix, ...recipients]);
    // A further file is written for every object, whose own wrap is to be there.
    this.isNamed = (instructionFileSuffix ?? recipient) !== undefined;
  }

  get places(): readonly string[] {
    return this.#targets.flatMap(placesOf);
  }

  async write(
    Key: string,
    { beforeWrite, afterWrite, standing, intents }: Attempt,
  ): Promise<Omit<RewrittenObject, "Key">> {
    const done: Rewrapped[] = [];
    for (const target of this.#targets) {
      if (standing !== undefined && this.#isWritten(target, standing, intents)) continue;
      const asked = { ...this.#options, ...target.options, Key };
      try {
        const rewrapped = await rewrapObject(this.#client, { ...asked, beforeWrite, dryRun: this.#isDry });
        done.push({ target, ...rewrapped });
        const { place, ETag: etag, replacedVersionId: of } = rewrapped;
        // Of a file, the version is the file's.
        if (!this.#isDry && place.in === "metadata") afterWrite({ etag, version: undefined, of });
      } catch (caught) {
        if (target.isOptional && isAbsent(caught)) continue;
        const error = await whyNotDone(caught, () => this.#isRewrapped(asked));
        if (error === undefined) continue;
        if (done.length === 0 || this.#isDry) throw error;
        const names = done.map((each) => nameOf(each.target)).join(", ");
        throw new PartlyDone(`Re-wrapped: ${names}; not ${nameOf(target)}.`, sumOf(done), error);
      }
    }
    if (done.length === 0) return OPENED;
    return { outcome: this.#isDry ? "planned" : "rewrapped", ...sumOf(done) };
  }

  isFinished(standing: StandingEnvelopes, intents: readonly Intent[]): boolean {
    return this.#targets.every((target) => this.#isWritten(target, standing, intents));
  }

  isBegun(standing: StandingEnvelopes, intents: readonly Intent[]): boolean {
    const [own] = this.#targets;
    return own !== undefined && this.#isWritten(own, standing, intents);
  }

  /** A copy in parts that broke off has left annotations aside. */
  async finish(Key: string): Promise<void> {
    await putBackAnnotations(this.#client, objectOf(this.#options, Key));
  }

  async isCurrent(Key: string): Promise<boolean> {
    for (const target of this.#targets) {
      try {
        if (!(await this.#isRewrapped({ ...this.#options, ...target.options, Key }))) return false;
      } catch (error) {
        if (!target.isOptional || !isAbsent(error)) throw error;
      }
    }
    return true;
  }

  /** The new keyring opens it, and the old one does not: a new one that reads with former keys opens what is still to be done, too. */
  async #isRewrapped(asked: RewrapOptions): Promise<boolean> {
    if (!(await isRewrapped(this.#client, asked))) return false;
    const { instructionFileSuffix } = asked.to;
    const own = instructionFileSuffix === undefined ? {} : { instructionFileSuffix };
    return !(await isRewrapped(this.#client, { ...asked, to: own }));
  }

  #isWritten(target: Target, standing: StandingEnvelopes, intents: readonly Intent[]): boolean {
    if (target.name === undefined) {
      if (standing.standsAlone) return isIntended(standing, METADATA, intents);
      // Which file holds an object's only wrap, the intent tells.
      const others = new Set(this.places);
      const files = intents.map(({ place }) => place).filter((place) => place.startsWith(fileOf("")));
      return files.some((place) => !others.has(place) && isIntended(standing, place, intents));
    }
    // A file is what is re-wrapped where there is one.
    const known = [...new Set([...placesOf(target), ...intents.map(({ place }) => place)])];
    const [place] = known.filter((each) => each !== METADATA && (standing.looks.wraps[each] ?? []).length > 0);
    return place === undefined ? target.isOptional : isIntended(standing, place, intents);
  }
}

/** A wrap that was written, and whose. */
type Rewrapped = Awaited<ReturnType<typeof rewrapObject>> & { readonly target: Target };

function nameOf({ name }: Target): string {
  return name === undefined ? "its own key" : JSON.stringify(name);
}

function sumOf(done: readonly Rewrapped[]): PartlyDone["done"] {
  const replacedVersionId = done.find((each) => each.replacedVersionId !== undefined)?.replacedVersionId;
  return {
    wraps: done.map(({ place, wrapAlgorithm, verified, isReencrypted }) => ({
      place,
      wrapAlgorithm,
      verified,
      isReencrypted,
    })),
    changed: [...new Set(done.flatMap(({ changed }) => changed))],
    ...(replacedVersionId === undefined ? {} : { replacedVersionId }),
  };
}

function furtherTarget(recipient: string): Target {
  const name = recipient.replace(/^\.+/, "");
  if (name === "") throw invalid("A recipient must be a name, such as escrow.");
  return { name, options: { instructionFileSuffix: `.${name}` }, isOptional: true };
}

function placesOf({ name }: Target): readonly string[] {
  return name === undefined ? [] : [fileOf(`.${name}`), annotationsOf(name)];
}

function isAbsent(error: unknown): boolean {
  return error instanceof S3EncryptionError && error.code === "not-encrypted";
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
