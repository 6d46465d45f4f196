import { setImmediate } from "node:timers";
import type { Take } from "./drained.js";

/** Bytes that OpenSSL and a reader are given at once: what is fastest in both. */
const PIECE = 256 * 1024;

/** Bytes from which on a chunk is worth a piece by itself: copying it would cost more than handing it on. */
const LARGE = 32 * 1024;

/** Bytes that wait for their reader before the connection has to. */
const WAITING = 1024 * 1024;

/** Bytes that a chunk takes beside its own, about: whoever sends a body chooses how it is cut. */
const OF_A_CHUNK = 512;

/**
 * What a network brings, in larger pieces: over TLS it comes in records of 16 KiB, each of which would cost every layer
 * between here and the reader a promise. Small chunks that have come by the time that the reader asks are one piece; a large
 * one is handed on as it is, so that who holds it copies it (G5). A failure comes behind what came before it.
 *
 * @param read hands each chunk to `take`, waits where that gives a promise, and resolves behind the last; begun when the
 *   first piece is asked for
 * @param stop ends that, where nobody asks any more
 */
export async function* arrivals(read: (take: Take) => Promise<void>, stop: () => void): AsyncGenerator<Uint8Array> {
  const arrived = new Arrived();
  let outcome: { readonly error?: unknown } | undefined;
  const ended = (how: { readonly error?: unknown }): void => {
    outcome = how;
    arrived.wake();
  };
  read((chunk) => arrived.take(chunk)).then(
    () => ended({}),
    (error: unknown) => ended({ error }),
  );
  try {
    for (;;) {
      for (const chunk of arrived.give()) {
        for (let offset = 0; offset < chunk.length; offset += PIECE) yield chunk.subarray(offset, offset + PIECE);
      }
      if (arrived.length > 0) continue;
      if (outcome === undefined) await arrived.more();
      else if ("error" in outcome) throw outcome.error;
      else return;
    }
  } finally {
    stop();
  }
}

class Arrived {
  #chunks: Uint8Array[] = [];
  #length = 0;
  #wake: (() => void) | undefined;
  #goOn: (() => void) | undefined;

  get length(): number {
    return this.#length;
  }

  take(chunk: Uint8Array): Promise<void> | undefined {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    // Later than this turn of the loop, in which there may be more.
    if (this.#wake !== undefined) setImmediate(() => this.wake());
    if (this.#length + this.#chunks.length * OF_A_CHUNK < WAITING) return undefined;
    return new Promise((goOn) => {
      this.#goOn = goOn;
    });
  }

  /** Takes what has come away. */
  give(): readonly Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#length = 0;
    this.#goOn?.();
    this.#goOn = undefined;
    return withoutSmall(chunks);
  }

  /** Resolves once there is more, or an end. */
  more(): Promise<void> {
    return new Promise((wake) => {
      this.#wake = wake;
    });
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** The same bytes, where small chunks that follow each other are one. */
function withoutSmall(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const join = (): void => {
    const [first, second] = small;
    if (first !== undefined) pieces.push(second === undefined ? first : Buffer.concat(small));
    small = [];
  };
  for (const chunk of chunks) {
    if (chunk.length < LARGE) {
      small.push(chunk);
      continue;
    }
    join();
    pieces.push(chunk);
  }
  join();
  return pieces;
}
