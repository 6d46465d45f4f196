import { HeadObjectCommand, type PutObjectCommandInput, type S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError, type WrapPlace } from "@s3ec/materials";
import { AnnotationStore } from "../annotations/annotation-store.js";
import { lookingStore } from "../commands/looking-store.js";
import type { ResolvedOptions } from "../options.js";
import { AllowedLosses } from "../restate/losses.js";
import { seenFile, storageOf } from "../rewrap/file-beside.js";
import { httpStatusOf } from "../s3-errors.js";
import { type AffectedFile, InstructionFileError } from "../write/sibling-error.js";
import type { FoundFile } from "../write/sibling-files.js";
import { PartlyRemovedError } from "./partly-removed-error.js";
import type { RecipientsOptions } from "./recipient-options.js";

/** Milliseconds that putting back may take, also for a caller who has aborted. */
const PUTTING_BACK_TIMEOUT = 30_000;

/** Whose wraps are removed: the object as it was looked at. */
interface OfObject {
  readonly encryption: ResolvedOptions;
  readonly object: Omit<RecipientsOptions, "abortSignal">;
  readonly etag: string;
  readonly abortSignal: AbortSignal | undefined;
}

type ReadFile = Extract<FoundFile, { readonly state: "read" }> & { readonly suffix: string };

/** What was found of a recipient. */
interface FoundWraps {
  /** Of annotations. */
  readonly names: readonly string[];
  readonly file?: ReadFile;
}

/** Deletes a recipient's wraps, keeps what was deleted while the object may be unreadable without, and says what of it is gone. */
export class WrapRemoval {
  readonly #client: S3Client;
  readonly #of: OfObject;
  readonly #found: FoundWraps;
  readonly #removed: WrapPlace[] = [];
  readonly #texts = new Map<string, string>();
  #storage: Partial<PutObjectCommandInput> = {};

  /** @param client one that does not encrypt */
  constructor(client: S3Client, of: OfObject, found: FoundWraps) {
    this.#client = client;
    this.#of = of;
    this.#found = found;
  }

  /** Where they were found. */
  get places(): readonly WrapPlace[] {
    const { names, file } = this.#found;
    const annotations = names.map((name) => ({ in: "annotation", name }) as const);
    return file === undefined ? annotations : [...annotations, { in: "instruction-file", suffix: file.suffix }];
  }

  /** Which are deleted. */
  get removed(): readonly WrapPlace[] {
    return this.#removed;
  }

  /**
   * Deletes them all; a file that is another by then stays.
   *
   * @param isReadable whether the object can be read without them, where its metadata holds no wrapped key: asked behind the
   *   deletion, since of two at once each sees the other's wrap before
   */
  async removeAll(isReadable?: () => Promise<boolean>): Promise<void> {
    if (this.places.length === 0) return;
    if (isReadable !== undefined) await this.#keep();
    let failure: { readonly error: unknown } | undefined;
    try {
      await this.#delete();
    } catch (error) {
      failure = { error };
    }
    if (isReadable !== undefined) await this.#requireReadable(isReadable);
    if (failure !== undefined) throw this.#partly(failure.error);
  }

  /** The same look, whose failure says what was removed before. */
  async telling<T>(look: () => Promise<T>): Promise<T> {
    try {
      return await look();
    } catch (error) {
      throw this.#partly(error);
    }
  }

  async #delete(): Promise<void> {
    const { names, file } = this.#found;
    const { object, etag, abortSignal } = this.#of;
    const annotations = new AnnotationStore(this.#client, object, abortSignal);
    for (const name of names) {
      if (!(await annotations.remove(name, etag))) throw replaced();
      this.#removed.push({ in: "annotation", name });
    }
    if (file === undefined) return;
    const { suffix } = file;
    const isRemoved = await this.#files(abortSignal).remove(suffix, file.etag);
    if (isRemoved) this.#removed.push({ in: "instruction-file", suffix });
  }

  #files(signal: AbortSignal | undefined): ReturnType<typeof lookingStore> {
    const { object, encryption } = this.#of;
    return lookingStore(this.#client, { ...object, ...this.#storage }, encryption, signal);
  }

  /** Reads what is to be put back, and how S3 keeps it. */
  async #keep(): Promise<void> {
    const { names, file } = this.#found;
    const { object, abortSignal } = this.#of;
    const annotations = new AnnotationStore(this.#client, object, abortSignal);
    for (const name of names) {
      const text = await annotations.read(name);
      if (text !== undefined) this.#texts.set(name, text);
    }
    if (file === undefined) return;
    const { suffix } = file;
    const asked = { object, from: { abortSignal }, keep: {} };
    const seen = await seenFile(this.#client, asked, suffix);
    // What of it may not be read is lost only where it has to be put back.
    const losses = new AllowedLosses(["acl", "kms-context", "lock", "tags"]);
    this.#storage = await storageOf(this.#client, asked, seen, suffix, losses);
  }

  async #requireReadable(isReadable: () => Promise<boolean>): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    try {
      if (await isReadable()) return;
    } catch (error) {
      // Not known to be readable.
      failure = { error };
    }
    await this.#putBack();
    if (failure !== undefined) throw failure.error;
    throw new S3EncryptionError(
      "content-mismatch",
      "Somebody else removed meanwhile what else the object could be read by: what was removed here was put back, so that somebody can read it. Look at its recipients (listRecipients), and remove again what is still to go.",
    );
  }

  /** Each in its place, where nothing is there by now. */
  async #putBack(): Promise<void> {
    const { object, etag } = this.#of;
    const signal = AbortSignal.timeout(PUTTING_BACK_TIMEOUT);
    try {
      if (!(await this.#stands(signal))) throw replaced();
      const annotations = new AnnotationStore(this.#client, object, signal);
      for (const [name, text] of this.#texts) {
        if ((await annotations.read(name)) === undefined && !(await annotations.put(name, text, etag))) {
          throw replaced();
        }
      }
      const { file } = this.#found;
      if (file !== undefined) await this.#files(signal).write(file, { state: "missing" });
    } catch (error) {
      if (error instanceof S3EncryptionError && error.code === "content-mismatch") throw error;
      throw new InstructionFileError(
        "instruction-file-failed",
        "What was removed may be all that the object could be read by, since somebody else removed the rest meanwhile, and it could not be put back: put the text of each (files, previous) back in its place before anything else (s3:PutObject, s3:PutObjectAnnotation).",
        this.#affected,
        error,
      );
    }
  }

  async #stands(abortSignal: AbortSignal): Promise<boolean> {
    const { object, etag } = this.#of;
    try {
      return (await this.#client.send(new HeadObjectCommand(object), { abortSignal })).ETag === etag;
    } catch (error) {
      if (httpStatusOf(error) === 404) return false;
      throw error;
    }
  }

  #partly(error: unknown): unknown {
    if (this.#removed.length === 0) return error;
    const gone = new Set(this.#removed.map((place) => JSON.stringify(place)));
    const remaining = this.places.filter((place) => !gone.has(JSON.stringify(place)));
    return new PartlyRemovedError(error, { removed: this.#removed, remaining }, this.#affected);
  }

  get #affected(): readonly AffectedFile[] {
    const { names, file } = this.#found;
    const key = this.#of.object.Key;
    const annotations = names.map((annotation) => {
      const previous = this.#texts.get(annotation);
      return { key, annotation, ...(previous === undefined ? {} : { previous }) };
    });
    return file === undefined ? annotations : [...annotations, { key: `${key}${file.suffix}`, previous: file.body }];
  }
}

export function replaced(): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    "The object was replaced or changed meanwhile: look at its recipients, and remove again what is still there.",
  );
}
