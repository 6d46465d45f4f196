import type { FileHandle } from "node:fs/promises";
import type { Piece, UnprovenContent } from "@s3ec/envelope";
import { giveBack } from "./given-back.js";
import type { RangeTaker } from "./ranges-in-places.js";
import { writeAll } from "./write-all.js";

/** What a disk takes well at once, and what is fetched again after a crash. Whole blocks. */
const PIECE = 512 * 1024;

/**
 * Buffers for pieces of ciphertext, which serve again: the network's small ones would be old by the time they are decrypted, and
 * stay until everything is collected. None of them ever holds plaintext (G6).
 */
export class PieceBuffers {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(PIECE);
  }

  giveBack(buffer: Buffer): void {
    this.#free.push(buffer);
  }
}

export interface PlacedPlaintext {
  readonly content: UnprovenContent;
  readonly file: FileHandle;
  readonly buffers: PieceBuffers;
  /** Told of a piece once it is written. */
  readonly onWritten: (piece: Piece) => Promise<void> | void;
}

/**
 * Decrypts the bytes of one range and writes them in their place, piece by piece: a piece is written while the next one is
 * gathered, and that is all that is held. What the network cuts them into would cost a call and an output each.
 */
export class PlacedRange implements RangeTaker {
  readonly #plaintext: PlacedPlaintext;
  #offset: number;
  #gathered: Buffer | undefined;
  #start = 0;
  #filled = 0;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;

  /** @param first byte of the stored object that it begins with */
  constructor(plaintext: PlacedPlaintext, first: number) {
    this.#plaintext = plaintext;
    this.#offset = first;
  }

  take(chunk: Uint8Array): Promise<unknown> | undefined {
    const { content, buffers } = this.#plaintext;
    let busy: Promise<void> | undefined;
    for (let left = chunk; left.length > 0; ) {
      if (this.#offset >= content.length) {
        content.addTag(this.#offset, left);
        this.#offset += left.length;
        break;
      }
      const part = left.subarray(0, Math.min(PIECE - this.#filled, content.length - this.#offset));
      if (this.#filled === 0) this.#start = this.#offset;
      this.#gathered ??= buffers.take();
      this.#gathered.set(part, this.#filled);
      this.#filled += part.length;
      this.#offset += part.length;
      left = left.subarray(part.length);
      if (this.#filled === PIECE) busy = this.#flush() ?? busy;
    }
    return busy;
  }

  async end(): Promise<void> {
    this.#flush();
    await this.#writing;
  }

  /** Gives what is still being written of the piece before. */
  #flush(): Promise<void> | undefined {
    const gathered = this.#gathered;
    if (gathered === undefined) return undefined;
    const { content, buffers } = this.#plaintext;
    const opening = content.pieceAt(this.#start);
    const plaintext = stepsOf(gathered.subarray(0, this.#filled)).map((step) => opening.decrypt(step));
    const piece = opening.end();
    buffers.giveBack(gathered);
    this.#gathered = undefined;
    this.#filled = 0;
    const before = this.#isWriting ? this.#writing : undefined;
    this.#isWriting = true;
    const writing = this.#writing.then(() => this.#write(piece, plaintext));
    this.#writing = writing;
    // Its failure is told by the next flush, or by the end.
    writing.then(
      () => {
        if (this.#writing === writing) this.#isWriting = false;
      },
      () => {},
    );
    return before;
  }

  async #write(piece: Piece, plaintext: readonly Uint8Array[]): Promise<void> {
    const { file, content, onWritten } = this.#plaintext;
    await writeAll(file, plaintext, piece.offset);
    giveBack(plaintext);
    content.add(piece);
    await onWritten(piece);
  }
}

/** What memory is reused for that was given back, without asking the system for it again. */
const STEP = 64 * 1024;

function stepsOf(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / STEP) }, (_, index) =>
    bytes.subarray(index * STEP, (index + 1) * STEP),
  );
}
