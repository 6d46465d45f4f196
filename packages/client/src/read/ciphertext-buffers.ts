/** Bytes from which on a buffer is kept; making a smaller one takes no longer. */
const LEAST = 128 * 1024;

/** Buffers that are kept, at most. */
const MOST = 4;

/**
 * Buffers that ciphertext waits in until it is proven, and which then serve again: each new one is pages that the system has to
 * give, and bytes that V8 collects everything for once enough of them have gathered. No plaintext comes into them, and no view
 * of them goes to a caller (G5, G6).
 */
export class CiphertextBuffers {
  /** Those that nobody uses, the one that was given back last at the end. */
  readonly #free: Buffer[] = [];

  /** Bytes that are kept for the next. */
  get kept(): number {
    return this.#free.reduce((sum, { length }) => sum + length, 0);
  }

  /** Lends a buffer of so many bytes or more, which `use` must not use any more once it has ended, whatever it ends in. */
  async lend<Result>(length: number, use: (buffer: Uint8Array) => Promise<Result>): Promise<Result> {
    const buffer = this.#take(length);
    try {
      return await use(buffer);
    } finally {
      if (buffer.length >= LEAST) this.#free.push(buffer);
      if (this.#free.length > MOST) this.#free.shift();
    }
  }

  #take(length: number): Buffer {
    const index = length < LEAST ? -1 : this.#free.findLastIndex((buffer) => buffer.length >= length);
    const [found] = index === -1 ? [] : this.#free.splice(index, 1);
    return found ?? Buffer.allocUnsafeSlow(length);
  }
}
