/** The bytes of a body, in pieces of the length that its frames have, whatever pieces they arrive in. */
export class BodyReader {
  readonly #source: AsyncIterator<Uint8Array>;
  /** Arrived and not taken, oldest first. */
  readonly #held: Uint8Array[] = [];
  #length = 0;
  readonly #observe: ((bytes: Uint8Array) => void) | undefined;

  /** @param observe sees every byte that is taken by `takePieces` and `take`, in order */
  constructor(source: AsyncIterable<Uint8Array>, observe?: (bytes: Uint8Array) => void) {
    this.#source = source[Symbol.asyncIterator]();
    this.#observe = observe;
  }

  /** Whether so many bytes are here by now; asks the source for more until they are, or it ends. */
  async has(length: number): Promise<boolean> {
    while (this.#length < length) {
      // The source may use a chunk's memory again once it is asked for the next one.
      const last = this.#held.pop();
      if (last !== undefined) this.#held.push(Buffer.from(last));
      const { done, value } = await this.#source.next();
      if (done === true) return false;
      if (value.length === 0) continue;
      this.#held.push(value);
      this.#length += value.length;
    }
    return true;
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

  /** The next bytes as views of what has arrived. To be called after `has` said so. */
  takePieces(length: number): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      const [piece] = this.#held;
      if (piece === undefined) throw new RangeError("Bytes were taken that have not arrived.");
      const part = piece.subarray(0, missing);
      if (part.length === piece.length) this.#held.shift();
      else this.#held[0] = piece.subarray(part.length);
      this.#observe?.(part);
      pieces.push(part);
      missing -= part.length;
    }
    this.#length -= length;
    return pieces;
  }

  take(length: number): Buffer {
    return Buffer.concat(this.takePieces(length), length);
  }

  /** The rest, as a reader that nobody observes. */
  unobserved(): BodyReader {
    const rest = new BodyReader({ [Symbol.asyncIterator]: () => this.#source });
    rest.#held.push(...this.#held);
    rest.#length = this.#length;
    return rest;
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
