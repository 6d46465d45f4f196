import { randomUUID } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import { MOVING_ANNOTATION } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { whyNotAnnotatable } from "../annotations/annotatable.js";
import { hasAnnotationCommands } from "../annotations/annotation-commands.js";
import { AnnotationStore, isRefusedList } from "../annotations/annotation-store.js";
import { changedMeanwhile } from "../restate/changed-meanwhile.js";
import type { AllowedLosses } from "../restate/losses.js";
import type { StoredAddress, StoredVersion } from "../restate/seen-object.js";
import { httpStatusOf } from "../s3-errors.js";

/**
 * Milliseconds for which a mark counts. It is put anew just before the object is written, so that only the last request has to
 * take less; S3 refuses whoever's clock is wrong by more than a quarter of an hour.
 */
const LIFETIME = 2 * 3_600_000;
/** Milliseconds that the removal of what a call has left may take, also for a caller who has aborted. */
export const REMOVING_TIMEOUT = 30_000;

/**
 * The annotation which says that an object is being written anew. It is put before the object's recipients are listed for the
 * last time; whoever changes them lists after the change. So one of the two sees the other, and no recipient is lost or comes back
 * unseen.
 */
export class MovingMark {
  readonly #run = randomUUID();
  readonly #client: S3Client;
  readonly #address: StoredAddress;
  readonly #losses: AllowedLosses;
  readonly #signal: AbortSignal | undefined;
  #text: string | undefined;

  /** @param client one that does not encrypt */
  constructor(client: S3Client, address: StoredAddress, losses: AllowedLosses, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#address = address;
    this.#losses = losses;
    this.#signal = signal;
  }

  /**
   * Puts it, or puts it anew with the time that it is; over the one of a call that broke off, which then ends if it has not. None
   * where the object can have no annotations, or the store has not shown that it knows them. Throws `content-mismatch`
   * where another object than that with the tag stands, `unsupported-operation` where it may not be put, unless that is allowed.
   */
  async put(etag: string): Promise<void> {
    if (whyNotAnnotatable(this.#address) !== undefined || !(await hasAnnotationCommands())) return;
    const store = new AnnotationStore(this.#client, this.#address, this.#signal);
    try {
      await store.prove();
    } catch (error) {
      // Whoever lists the recipients is told.
      if (error instanceof S3EncryptionError || isRefusedList(error)) return;
      throw error;
    }
    const text = JSON.stringify({ run: this.#run, time: new Date().toISOString() });
    let isPut: boolean;
    try {
      isPut = await store.put(MOVING_ANNOTATION, text, etag);
    } catch (error) {
      // Too many are there, or it is not allowed.
      if (![400, 403].includes(httpStatusOf(error) ?? 0)) throw error;
      this.#losses.accept(
        "recipients",
        "The object cannot be marked as being written anew (x-s3ec/moving), so that a recipient who is added or removed at the same time would be lost, or come back: allow s3:PutObjectAnnotation, and have less than 1,000 annotations.",
      );
      return;
    }
    if (!isPut) throw changedMeanwhile();
    this.#text = text;
  }

  /** Throws `content-mismatch` where another call has put its own since, or somebody has removed it. */
  async require(): Promise<void> {
    if (this.#text === undefined) return;
    const store = new AnnotationStore(this.#client, this.#address, this.#signal);
    const text = await store.read(MOVING_ANNOTATION).catch((error: unknown) => {
      // The condition on the object's tag holds all the same.
      if (httpStatusOf(error) === 403) return this.#text;
      throw error;
    });
    if (text !== this.#text) throw changedMeanwhile();
  }

  /**
   * Removes it from the object that was not written, or from the version before: that is locked perhaps, and what stays counts no
   * more after two hours. No failure of the caller's.
   */
  async remove(etag: string, version: Pick<StoredVersion, "VersionId"> = {}): Promise<void> {
    if (this.#text === undefined) return;
    const signal = AbortSignal.timeout(REMOVING_TIMEOUT);
    const store = new AnnotationStore(this.#client, { ...this.#address, ...version }, signal);
    try {
      if ((await store.read(MOVING_ANNOTATION)) === this.#text) await store.remove(MOVING_ANNOTATION, etag);
      this.#text = undefined;
    } catch {
      // It has a time.
    }
  }
}

/** Whether a mark's text is of a call that has ended long since; one that tells no time counts until it is removed. */
export function isOver(text: string | undefined): boolean {
  try {
    const { time }: { time?: unknown } = JSON.parse(text ?? "") ?? {};
    return isPast(time);
  } catch {
    return false;
  }
}

/** Whether a time is so long ago that nobody who said it is still at work. */
export function isPast(time: unknown): boolean {
  return typeof time === "string" && Date.now() - Date.parse(time) > LIFETIME;
}
