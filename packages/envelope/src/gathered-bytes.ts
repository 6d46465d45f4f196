const LEAST_CAPACITY = 1024;

/**
 * Bytes that arrive in pieces of any size, copied behind each other: kept by itself, a piece of a few bytes takes up some
 * twenty times as much, and whoever sends a body chooses how it is cut.
 */
export class GatheredBytes {
  #buffer: Uint8Array;
  #length = 0;

  /** @param room bytes that are expected, or a buffer for them; more of them only cost another copy */
  constructor(room: number | Uint8Array = LEAST_CAPACITY) {
    this.#buffer = typeof room === "number" ? Buffer.allocUnsafeSlow(room) : room;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** A view, which the next piece may leave behind. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Copies the next piece behind the others. */
  append(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length, LEAST_CAPACITY));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = needed;
  }
}

/**
 * The beginning of a source, at most so many bytes of it, and lets go of the rest: whoever sends it may send without end
 * (S14). Asked for one byte more than is allowed, it tells what is longer.
 */
export async function readAtMost(source: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const gathered = new GatheredBytes();
  for await (const chunk of source) {
    gathered.append(chunk.subarray(0, length - gathered.length));
    if (gathered.length === length) break;
  }
  return gathered.bytes;
}
