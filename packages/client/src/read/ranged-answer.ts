import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import type { CallOptions } from "../call-options.js";
import { openRanges, type RangedObject } from "../transfer/ciphertext-ranges.js";
import type { Asking, Result } from "./answered-object.js";
import type { BesideObject } from "./beside-object.js";
import type { CiphertextBody } from "./whole-content.js";

/** Bytes of one range: more of them would take more memory, less more requests. */
const PART_SIZE = 3 * 1024 * 1024;

/** An object that is fetched in ranges, several at once, while it is found out how to open it: see `AnsweredObject`. */
export class RangedAnswer {
  /** The stored bytes that are still to be read. */
  chunks: AsyncIterable<Uint8Array>;
  readonly #object: RangedObject;
  readonly #first: Result;
  readonly #asking: Asking;

  private constructor(object: RangedObject, first: Result, asking: Asking) {
    this.#object = object;
    this.#first = first;
    this.#asking = asking;
    this.chunks = object.chunks;
  }

  static async open(
    input: GetObjectCommandInput,
    asking: Asking,
    { abortSignal }: CallOptions,
    queueSize: number,
  ): Promise<RangedAnswer> {
    let first: Result | undefined;
    const source = {
      get: async (asked: GetObjectCommandInput): Promise<GetObjectCommandOutput> => {
        const result = await asking.next(asked);
        first = result;
        return result.output;
      },
      attempts: () => asking.attempts(),
      telemetry: asking.telemetry,
    };
    const signal = abortSignal ?? new AbortController().signal;
    const object = await openRanges(source, input, { partSize: PART_SIZE, queueSize, signal });
    if (first === undefined) throw new Error("Nothing was answered.");
    return new RangedAnswer(object, first, asking);
  }

  /** Of the first range, as of the whole object. */
  get output(): GetObjectCommandOutput {
    const { ContentRange, $metadata, ...output } = this.#first.output;
    return { ...output, ContentLength: this.#object.length, $metadata: { ...$metadata, httpStatusCode: 200 } };
  }

  get result(): Result {
    return { ...this.#first, output: this.output };
  }

  beside(object: GetObjectCommandInput): BesideObject {
    const before = this.#object.chunks;
    return this.#asking.beside(object, () => {
      this.#object.letGo();
      if (this.#object.chunks !== before) this.chunks = this.#object.chunks;
    });
  }

  async content(): Promise<CiphertextBody> {
    return { chunks: this.chunks, destroy: this.#object.destroy };
  }

  destroy(): void {
    this.#object.destroy();
  }
}
