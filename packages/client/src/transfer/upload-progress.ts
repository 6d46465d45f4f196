import type { ObjectToSend, Part } from "./parts-to-send.js";
import { type TransferPace, TransferSpeed } from "./transfer-speed.js";

/** What a resumed upload begins with. What is there and of no use ends it, so that it never begins anew by itself. */
export interface UploadResumption {
  /** Bytes of the body that S3 says it has already: they are read and compared, and not sent again. */
  readonly kept: number;
}

/** How far an upload is, in bytes of the caller's body, and how fast. */
export interface UploadProgress extends TransferPace {
  /** Bytes of the body that S3 has. */
  readonly loaded?: number;
  /** Absent while it is not known. */
  readonly total?: number;
  /** Number of the part that has just been stored, from 1 on. */
  readonly part?: number;
  /** Of the object, as the upload's `params` name it. */
  readonly Key?: string;
  /** Of the object, as the upload's `params` name it. */
  readonly Bucket?: string;
}

/** Tells how far an upload is. What stands for no plaintext is counted as if it came last, where the S3 formats have it. */
export class UploadCounter {
  readonly #object: ObjectToSend;
  readonly #total: number | undefined;
  readonly #speed: TransferSpeed;
  #stored = 0;

  constructor(object: ObjectToSend) {
    const { length, overhead } = object;
    this.#object = object;
    this.#total = length === undefined ? undefined : length - overhead;
    this.#speed = new TransferSpeed(this.#total);
  }

  /** As bytes of the body. */
  bodyOf(stored: number): number {
    return Math.min(stored, this.#total ?? stored);
  }

  /** With a part that S3 has now, or had before. */
  add({ number: part, length }: Part, isSent: boolean): UploadProgress {
    const { Bucket = "", Key = "" } = this.#object.input;
    const before = this.bodyOf(this.#stored);
    this.#stored += length;
    const loaded = this.bodyOf(this.#stored);
    if (!isSent) this.#speed.skip(loaded - before);
    const total = this.#total === undefined ? {} : { total: this.#total };
    return { loaded, ...total, ...this.#speed.at(loaded), part, Key, Bucket };
  }
}
