import { setImmediate } from "node:timers";
import { NOTHING } from "../streams.js";

/** OpenSSL is fastest in pieces that fit the cache. */
const PIECE = 256 * 1024;

/**
 * Starts reading at once, whether or not anyone asks yet, into a buffer that has room for all of it, and gives out what
 * has come: views of the buffer. An error comes after what came before it.
 *
 * Copying into a buffer that is used again costs less than leaving a network's small ones to the garbage collector, for
 * which they are old by the time it is their turn.
 */
export class ReadAhead {
  readonly buffer: Uint8Array;
  #filled = 0;
  #wake = NOTHING;
  #wakes = false;
  #outcome: { readonly error?: unknown } | undefined;

  /** @param read hands each chunk to `take`, and resolves behind the last */
  constructor(read: (take: (chunk: Uint8Array) => void) => Promise<void>, buffer: Uint8Array) {
    this.buffer = buffer;
    const ended = (outcome: { readonly error?: unknown }): void => {
      this.#outcome = outcome;
      this.#wake();
    };
    read((chunk) => {
      buffer.set(chunk, this.#filled);
      this.#filled += chunk.length;
      // Later than this turn of the loop, in which more may come: what is given out at once costs the reader least.
      if (this.#wakes) return;
      this.#wakes = true;
      setImmediate(() => {
        this.#wakes = false;
        this.#wake();
      });
    }).then(
      () => ended({}),
      (error: unknown) => ended({ error }),
    );
  }

  /** All of it, from the beginning; one reader at a time. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let given = 0; ; ) {
      const piece = this.buffer.subarray(given, Math.min(this.#filled, given + PIECE));
      given += piece.length;
      if (piece.length > 0) yield piece;
      else if (this.#outcome === undefined) await new Promise<void>((arrived) => (this.#wake = arrived));
      else if ("error" in this.#outcome) throw this.#outcome.error;
      else return;
    }
  }
}
