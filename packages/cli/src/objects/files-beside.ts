import type { S3Client } from "@aws-sdk/client-s3";
import { type AuditedObject, auditObjects, type StoredObject } from "@s3ec/bulk";
import { ANNOTATIONS_ASIDE_SUFFIX, annotationsLeftAside } from "@s3ec/client";
import { DEFAULT_INSTRUCTION_FILE_SUFFIX, MAX_INSTRUCTION_FILE_LENGTH } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { KeysAround } from "./keys-around.js";
import type { ListedObject } from "./listed-objects.js";
import { endsAsFile } from "./no-file-there.js";
import type { ObjectParameters } from "./object-parameters.js";
import { readingClient } from "./reading-client.js";

/** How it is found out what is an instruction file. */
export interface FilesBesideOptions {
  /** Suffixes of the configuration, and that of the call. */
  readonly suffixes: readonly string[];
  /** What every read of an object says. */
  readonly get: ObjectParameters["get"];
  readonly abortSignal: AbortSignal;
}

/** Of what would be written to where a file beside another object stands, or is going to. */
export function wouldReplaceFile(): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    "Its key is that of the instruction file of another object, which would be lost: name it otherwise.",
  );
}

/** Of what is named by itself. */
export function goesWithItsObject(): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    "It is an instruction file of another object, or may be one, and moves and goes with that: name the object.",
  );
}

/** Looks at most at so many at once. */
const CONCURRENCY = 16;

/** A suffix that nobody named: as people choose them. */
const UNNAMED = /^\.[^/]{1,31}$/;

/** Suffixes that nobody named, of which one file each is remembered. */
const MAX_UNNAMED = 20;

/** What is known of the files beside the objects of one bucket. */
export class FilesBeside {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #suffixes: readonly string[];
  /** With that of annotations which a call that broke off has left aside. */
  readonly #ofFiles: readonly string[];
  readonly #abortSignal: AbortSignal;
  readonly #unnamed = new Map<string, StoredObject>();

  constructor(client: S3Client, bucket: string, { suffixes, get, abortSignal }: FilesBesideOptions) {
    this.#client = readingClient(client, get);
    this.#bucket = bucket;
    this.#suffixes = [...new Set([DEFAULT_INSTRUCTION_FILE_SUFFIX, ...suffixes])];
    this.#ofFiles = [...this.#suffixes, ANNOTATIONS_ASIDE_SUFFIX];
    this.#abortSignal = abortSignal;
  }

  /** Whether a key could be that of a file beside one of these, by a suffix that is configured. */
  mayBelongTo(key: string, owners: readonly string[]): boolean {
    return owners.some((owner) => this.#ofFiles.includes(key.slice(owner.length)));
  }

  /** Whether it could be a file beside that object by a suffix that nobody named: short, and no larger than such a file. */
  mayBeUnnamedFile({ Key, Size = 1 }: StoredObject, owner: string): boolean {
    const suffix = Key.slice(owner.length);
    return UNNAMED.test(suffix) && !this.#ofFiles.includes(suffix) && Size > 0 && Size <= MAX_INSTRUCTION_FILE_LENGTH;
  }

  /** Of what was listed: suffixes that nobody named, of which a file holds a wrapped key for the object that it is beside. */
  async unnamedSuffixes(): Promise<string[]> {
    const found: string[] = [];
    for (const [suffix, file] of this.#unnamed) {
      if ((await this.stateOf({ Key: file.Key })).state === "instruction-file") found.push(suffix);
    }
    return found;
  }

  /**
   * Objects of a listing, without the files that move and go with theirs: those with a configured suffix, whose object is in
   * the listing, and that hold a wrapped key, or its annotations. `report.escrow` may as well be somebody's document.
   */
  async *without(objects: AsyncIterable<ListedObject>): AsyncGenerator<ListedObject> {
    const around = new KeysAround();
    let waiting: { readonly object: ListedObject; readonly isFile: Promise<boolean> | false }[] = [];
    const settled = async function* (): AsyncGenerator<ListedObject> {
      const all = waiting;
      waiting = [];
      for (const { object, isFile } of all) if (!(await isFile)) yield object;
    };
    for await (const object of objects) {
      const owners = around.next(object.Key);
      const isCandidate = this.mayBelongTo(object.Key, owners);
      const [owner] = owners;
      if (owner !== undefined && this.#unnamed.size < MAX_UNNAMED && this.mayBeUnnamedFile(object, owner)) {
        const suffix = object.Key.slice(owner.length);
        if (!this.#unnamed.has(suffix)) this.#unnamed.set(suffix, object);
      }
      if (!isCandidate && waiting.length === 0) {
        yield object;
        continue;
      }
      const isFile = isCandidate && this.isFileOfListed(object);
      if (isFile) isFile.catch(() => {});
      waiting.push({ object, isFile });
      if (waiting.length >= CONCURRENCY) yield* settled();
    }
    yield* settled();
  }

  /**
   * Whether what is listed beside its object is a file of it, as far as can be told: what may not be read is not known to be
   * one. Where the object has gone since, as one that is moved, its file is left alone or has gone with it.
   */
  async isFileOfListed(object: StoredObject): Promise<boolean> {
    if (await this.#isLeftAside(object.Key)) return true;
    const { state } = await this.stateOf(object);
    return state === "instruction-file" || state === "orphaned-file" || state === "nothing";
  }

  /**
   * Whether the file of an object that is there stands at this key, by a suffix that is configured; or something that may not
   * be looked at. By itself it is neither replaced nor deleted.
   */
  async isFileThere(Key: string): Promise<boolean> {
    return endsAsFile(Key, this.#suffixes) && (await this.isFileOfAnother(Key));
  }

  /** The same of any suffix, which nobody need have named: what then may not be looked at is taken for an object. */
  async isFileOfAnother(Key: string): Promise<boolean> {
    if (await this.#isLeftAside(Key)) return true;
    const { state } = await this.stateOf({ Key });
    return state === "instruction-file" || (state === "unknown" && endsAsFile(Key, this.#suffixes));
  }

  async #isLeftAside(key: string): Promise<boolean> {
    const owner = key.slice(0, -ANNOTATIONS_ASIDE_SUFFIX.length);
    return key.endsWith(ANNOTATIONS_ASIDE_SUFFIX) && owner !== "" && (await this.hasAnnotationsAside(owner));
  }

  /** Whether annotations of an object stand in a file beside it, which the client deletes with it. */
  async hasAnnotationsAside(Key: string): Promise<boolean> {
    const object = { Bucket: this.#bucket, Key, abortSignal: this.#abortSignal };
    return (await annotationsLeftAside(this.#client, object)) !== undefined;
  }

  /**
   * Whether an object that stays may need it: whatever it is called, it holds an envelope, or may not be read. That is asked
   * only of what begins with the key of one that stays.
   */
  async mayBeNeeded(object: StoredObject): Promise<boolean> {
    const { state } = await this.stateOf(object);
    return state !== "plain" && state !== "encrypted" && state !== "nothing";
  }

  /** What is stored at a key, or is that version of it, by itself. */
  async stateOf({ Key, VersionId, isLatest }: StoredObject): Promise<AuditedObject> {
    const one = async function* (): AsyncGenerator<StoredObject> {
      yield { Key, ...(VersionId === undefined ? {} : { VersionId }), ...(isLatest === undefined ? {} : { isLatest }) };
    };
    const options = {
      Bucket: this.#bucket,
      instructionFileSuffixes: this.#suffixes,
      areFilesListed: true,
      abortSignal: this.#abortSignal,
    };
    for await (const audited of auditObjects(this.#client, one(), options)) return audited;
    return { Key, state: "unknown", wraps: [] };
  }
}
