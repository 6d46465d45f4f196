import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { answeredBody } from "../read/answered-body.js";
import { askAgain } from "../read/ask-again.js";
import { drained, type Take, Taker } from "../read/drained.js";
import { notWhatWasAsked } from "../read/served-range.js";
import type { Telemetry } from "../telemetry/telemetry.js";

/** A stored object, one version of it, that ranges are asked of. */
export interface PinnedObject {
  /** S3's answer to the first range. */
  readonly output: GetObjectCommandOutput;
  /** Bytes of the whole stored object. */
  readonly length: number;
  /** S3 answered with everything although a range was asked for. */
  readonly isWhole: boolean;
  readonly params: GetObjectCommandInput;
  readonly get: (input: GetObjectCommandInput) => Promise<GetObjectCommandOutput>;
  /** How often one range is asked for in all. */
  readonly attempts: number;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
}

/** Which bytes of the object, both inclusive, and what S3 answered already if it did. */
export interface WantedRange {
  readonly first: number;
  readonly last: number;
  readonly opened?: GetObjectCommandOutput | undefined;
}

/** One range of the object, in order: exactly its bytes, or an error. */
export async function* rangeOf(object: PinnedObject, wanted: WantedRange): AsyncGenerator<Uint8Array> {
  const reading = new RangeReading(object, wanted);
  while (!reading.isDone) {
    const body = await reading.open();
    try {
      for await (const arrived of body as AsyncIterable<Uint8Array>) {
        const chunk = reading.take(arrived);
        if (chunk.length > 0) yield chunk;
      }
    } catch (error) {
      await reading.broke(error);
      continue;
    }
    await reading.ended();
  }
}

/** The same, handed on as it arrives; where `take` gives a promise, it is waited for. */
export async function takeRange(object: PinnedObject, wanted: WantedRange, take: Take): Promise<void> {
  const reading = new RangeReading(object, wanted);
  const taker = new Taker(take);
  const takeNew: Take = (arrived) => {
    const chunk = reading.take(arrived);
    return chunk.length === 0 ? undefined : taker.take(chunk);
  };
  while (!reading.isDone) {
    const body = await reading.open();
    try {
      await drained(body, takeNew);
    } catch (error) {
      taker.assertTaking();
      await reading.broke(error);
      continue;
    }
    await reading.ended();
  }
}

/** How much of a range has come, over as many answers as that takes: one that breaks off is asked again from there. */
class RangeReading {
  readonly #object: PinnedObject;
  readonly #last: number;
  #opened: GetObjectCommandOutput | undefined;
  #offset: number;
  #toSkip = 0;
  #attempt = 0;

  constructor(object: PinnedObject, { first, last, opened }: WantedRange) {
    this.#object = object;
    this.#offset = first;
    this.#last = last;
    this.#opened = opened;
  }

  get isDone(): boolean {
    return this.#offset > this.#last;
  }

  async open(): Promise<Readable> {
    this.#attempt++;
    const output = this.#opened ?? (await this.#ask());
    this.#opened = undefined;
    this.#toSkip = this.#object.isWhole ? this.#offset : 0;
    return answeredBody(output);
  }

  /** What of these bytes had not come yet. */
  take(arrived: Uint8Array): Uint8Array {
    const chunk = arrived.subarray(Math.min(this.#toSkip, arrived.length));
    this.#toSkip -= arrived.length - chunk.length;
    if (this.#offset + chunk.length > this.#last + 1) throw notWhatWasAsked();
    this.#offset += chunk.length;
    return chunk;
  }

  /** To be called when a body ended: throws or waits where it was too short. */
  async ended(): Promise<void> {
    if (this.isDone) return;
    if (!this.#hasAttempts) throw cutShort();
    await this.#pause(cutShort());
  }

  /** To be called when a body failed: throws that, or waits where another one is worth trying. */
  async broke(error: unknown): Promise<void> {
    // What fails behind the last byte is a checksum.
    if (this.isDone || error instanceof S3EncryptionError || !this.#hasAttempts) throw error;
    await this.#pause(error);
  }

  /** The SDK retries requests; that a body broke off is ours to mend. */
  get #hasAttempts(): boolean {
    return this.#attempt < this.#object.attempts && !this.#object.signal.aborted;
  }

  async #pause(error: unknown): Promise<void> {
    this.#object.telemetry.retrying(error);
    await delay(Math.random() * 100 * 2 ** this.#attempt, undefined, { signal: this.#object.signal });
  }

  /** From where it is asked for on; of an object that comes whole only, all of it. */
  async #ask(): Promise<GetObjectCommandOutput> {
    const { params, isWhole, length, output: first, get } = this.#object;
    const send = async (input: GetObjectCommandInput): Promise<{ readonly output: GetObjectCommandOutput }> => ({
      output: await get(input),
    });
    const range = `${this.#offset}-${this.#last}`;
    const { output } = isWhole
      ? await askAgain(send, params, first, undefined)
      : await askAgain(send, { ...params, Range: `bytes=${range}` }, first, `bytes ${range}/${length}`);
    return output;
  }
}

function cutShort(): S3EncryptionError {
  return new S3EncryptionError("content-mismatch", "S3 ended its answer before the range that was asked for.");
}
