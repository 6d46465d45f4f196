interface Interval {
  readonly offset: number;
  readonly end: number;
}

/**
 * Which positions of a message's keystream have been used (G2): reserved at once, never given back. What meets a position
 * that is taken ends the message, and nothing of it can be made any more.
 */
export class PieceLedger {
  /** In order, none touching another's bytes. */
  readonly #taken: Interval[] = [];
  #ended: string | undefined;
  #closed = false;

  /** @throws Error when it is not free; the message has then ended. */
  reserve(offset: number, length: number): void {
    this.#assertAlive();
    if (this.#closed) throw this.end("The message is closed: its tag was made.");
    const end = offset + length;
    const next = this.#firstBehind(offset);
    const [before, behind] = [this.#taken[next - 1], this.#taken[next]];
    if ((before !== undefined && before.end > offset) || (behind !== undefined && behind.offset < end)) {
      throw this.end("Two parts would be encrypted with the same keystream.");
    }
    this.#taken.splice(next, 0, { offset, end });
  }

  /** @throws Error unless exactly this interval was reserved before, and the message has not ended. */
  assertReserved(offset: number, length: number): void {
    this.#assertAlive();
    const interval = this.#taken[this.#firstBehind(offset) - 1];
    if (interval?.offset === offset && interval.end === offset + length) return;
    throw this.end("A part was to be sent again that had not been sent.");
  }

  /** The message now takes no more. @throws Error unless it is there from 0 on without a gap. */
  close(): void {
    this.#assertAlive();
    let end = 0;
    for (const interval of this.#taken) {
      if (interval.offset !== end) throw new Error(`The message has a gap at ${end}.`);
      end = interval.end;
    }
    // The tag of nothing is the mask of every tag (G1).
    if (end === 0) throw new Error("A message of no parts has no tag.");
    this.#closed = true;
  }

  /** Ends the message for good, and gives the error to throw. */
  end(reason: string): Error {
    this.#ended ??= reason;
    return new Error(reason);
  }

  #assertAlive(): void {
    if (this.#ended !== undefined) throw new Error(`The message has ended: ${this.#ended}`);
  }

  /** Index of the first interval that begins behind `offset`. */
  #firstBehind(offset: number): number {
    let [low, high] = [0, this.#taken.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const interval = this.#taken[middle];
      if (interval !== undefined && interval.offset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
