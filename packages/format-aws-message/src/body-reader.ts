/** At least so much is set aside at a time for bytes that are kept. */
const BLOCK = 64 * 1024;

/** The bytes of a body, in pieces of the length that its frames have, whatever pieces they arrive in. */
export class BodyReader {
  readonly #source: AsyncIterator<Uint8Array>;
  /** Arrived and not taken, oldest first. */
  readonly #held: Uint8Array[] = [];
  #length = 0;
  /** Whether the last of them is memory of the source's. */
  #borrowed = false;
  /** Where kept bytes are copied to, and how much of it is in use. */
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;
  readonly #observe: ((bytes: Uint8Array) => void) | undefined;

  /** @param observe sees every byte that is taken by `takePiece` and `take`, in order */
  constructor(source: AsyncIterable<Uint8Array>, observe?: (bytes: Uint8Array) => void) {
    this.#source = source[Symbol.asyncIterator]();
    this.#observe = observe;
  }

  /** Whether so many bytes are here already. */
  holds(length: number): boolean {
    return this.#length >= length;
  }

  /** Whether so many bytes are here by now; asks the source for more until they are, or it ends. */
  async has(length: number): Promise<boolean> {
    while (this.#length < length) if (!(await this.more())) return false;
    return true;
  }

  /** Asks the source for the next bytes: whether there were any. */
  async more(): Promise<boolean> {
    // The source may use a chunk's memory again once it is asked for the next one.
    if (this.#borrowed) this.#keepLast();
    for (;;) {
      const { done, value } = await this.#source.next();
      if (done === true) return false;
      if (value.length === 0) continue;
      this.#held.push(value);
      this.#borrowed = true;
      this.#length += value.length;
      return true;
    }
  }

  /** Copies the last piece, behind the one before it where that was copied, too: many small chunks make one piece. */
  #keepLast(): void {
    this.#borrowed = false;
    const last = this.#held.pop();
    if (last === undefined) return;
    // What was taken of it has been used.
    if (this.#held.length === 0) this.#used = 0;
    if (last.length > this.#block.length - this.#used) {
      this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK, last.length));
      this.#used = 0;
    }
    let start = this.#used;
    this.#block.set(last, start);
    this.#used += last.length;
    const before = this.#held.at(-1);
    if (before?.buffer === this.#block.buffer) {
      start = before.byteOffset;
      this.#held.pop();
    }
    this.#held.push(this.#block.subarray(start, this.#used));
  }

  /** The next bytes, without taking them. To be called after `has` said so. */
  peekUint32(): number {
    let value = 0;
    let read = 0;
    for (const piece of this.#held) {
      for (let offset = 0; offset < piece.length && read < 4; offset++, read++)
        value = value * 256 + (piece[offset] ?? 0);
      if (read === 4) break;
    }
    return value;
  }

  /** The next bytes, at most so many, as a view of what has arrived, to be used before more is asked for. */
  takePiece(most: number): Uint8Array {
    const [piece] = this.#held;
    if (piece === undefined) throw new RangeError("Bytes were taken that have not arrived.");
    const taken = piece.length > most ? piece.subarray(0, most) : piece;
    if (taken === piece) this.#held.shift();
    else this.#held[0] = piece.subarray(most);
    this.#length -= taken.length;
    this.#observe?.(taken);
    return taken;
  }

  /** The next bytes, to be used before more is asked for. To be called after `has` said so. */
  take(length: number): Buffer {
    const [next] = this.#held;
    if (next !== undefined && next.length >= length) {
      const { buffer, byteOffset } = this.takePiece(length);
      return Buffer.from(buffer, byteOffset, length);
    }
    const bytes = Buffer.allocUnsafe(length);
    for (let filled = 0; filled < length; ) {
      const piece = this.takePiece(length - filled);
      bytes.set(piece, filled);
      filled += piece.length;
    }
    return bytes;
  }

  /** The rest, as a reader that nobody observes. */
  unobserved(): BodyReader {
    const rest = new BodyReader({ [Symbol.asyncIterator]: () => this.#source });
    rest.#held.push(...this.#held);
    rest.#length = this.#length;
    rest.#borrowed = this.#borrowed;
    return rest;
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
