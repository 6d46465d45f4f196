/** So many bytes are worth a turn of their reader's. */
const WORTH_A_TURN = 32 * 1024;
/** Up to this many bytes, copying a piece costs less than giving it out by itself. */
const SHORT = 16 * 1024;

/** Gathers pieces to be given out, since each costs its reader a turn, and makes short ones one with their neighbours. */
export class GatheredPieces {
  #pieces: Uint8Array[] = [];
  #short: Uint8Array[] = [];
  #length = 0;

  get isWorthATurn(): boolean {
    return this.#length >= WORTH_A_TURN;
  }

  /** @param piece memory that nobody changes any more */
  add(piece: Uint8Array): void {
    this.#length += piece.length;
    if (piece.length <= SHORT) {
      if (piece.length > 0) this.#short.push(piece);
      return;
    }
    this.#join();
    this.#pieces.push(piece);
  }

  take(): readonly Uint8Array[] {
    this.#join();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#length = 0;
    return pieces;
  }

  #join(): void {
    const [first] = this.#short;
    if (first === undefined) return;
    this.#pieces.push(this.#short.length === 1 ? first : Buffer.concat(this.#short));
    this.#short = [];
  }
}
