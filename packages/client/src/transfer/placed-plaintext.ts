import type { FileHandle } from "node:fs/promises";
import type { Piece, UnprovenContent, UnprovenPiece } from "@s3ec/envelope";
import { writeAll } from "./gathering-writer.js";
import type { RangeTaker } from "./ranges-in-places.js";

/** What a disk takes well at once, and what is fetched again after a crash. Whole blocks. */
const PIECE = 1024 * 1024;

export interface PlacedPlaintext {
  readonly content: UnprovenContent;
  readonly file: FileHandle;
  /** Told of a piece once it is written. */
  readonly onWritten: (piece: Piece) => Promise<void> | void;
}

/**
 * Decrypts the bytes of one range as they arrive and writes them in their place, piece by piece: a piece is written while
 * the next one is gathered, and that is all that is held.
 */
export class PlacedRange implements RangeTaker {
  readonly #plaintext: PlacedPlaintext;
  #offset: number;
  #piece: UnprovenPiece | undefined;
  #gathered = new GatheredChunks();
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;

  /** @param first byte of the stored object that it begins with */
  constructor(plaintext: PlacedPlaintext, first: number) {
    this.#plaintext = plaintext;
    this.#offset = first;
  }

  take(chunk: Uint8Array): Promise<unknown> | undefined {
    const { content } = this.#plaintext;
    let busy: Promise<void> | undefined;
    for (let left = chunk; left.length > 0; ) {
      if (this.#offset >= content.length) {
        content.addTag(this.#offset, left);
        this.#offset += left.length;
        break;
      }
      const room = Math.min(PIECE - this.#gathered.length, content.length - this.#offset);
      const part = left.subarray(0, room);
      this.#piece ??= content.pieceAt(this.#offset);
      this.#gathered.add(this.#piece.decrypt(part));
      this.#offset += part.length;
      left = left.subarray(room);
      if (this.#gathered.length === PIECE) busy = this.#flush() ?? busy;
    }
    return busy;
  }

  async end(): Promise<void> {
    this.#flush();
    await this.#writing;
  }

  /** Gives what is still being written of the piece before. */
  #flush(): Promise<void> | undefined {
    if (this.#piece === undefined) return undefined;
    const piece = this.#piece.end();
    const { chunks } = this.#gathered;
    this.#piece = undefined;
    this.#gathered = new GatheredChunks();
    const before = this.#isWriting ? this.#writing : undefined;
    this.#isWriting = true;
    const writing = this.#writing.then(() => this.#write(piece, chunks));
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

  async #write(piece: Piece, chunks: readonly Uint8Array[]): Promise<void> {
    const { file, content, onWritten } = this.#plaintext;
    await writeAll(file, chunks, piece.offset);
    content.add(piece);
    await onWritten(piece);
  }
}

/** A chunk that is kept by itself takes some two hundred bytes more, and whoever sends a body chooses how it is cut. */
const SMALL = 4096;

/** Chunks to write behind each other; small ones are put together. */
class GatheredChunks {
  readonly #chunks: Uint8Array[] = [];
  #small: Buffer | undefined;
  #smallLength = 0;
  length = 0;

  add(chunk: Uint8Array): void {
    this.length += chunk.length;
    if (chunk.length >= SMALL) {
      this.#endSmall();
      this.#chunks.push(chunk);
      return;
    }
    if (this.#smallLength + chunk.length > 2 * SMALL) this.#endSmall();
    this.#small ??= Buffer.allocUnsafe(2 * SMALL);
    this.#small.set(chunk, this.#smallLength);
    this.#smallLength += chunk.length;
  }

  get chunks(): readonly Uint8Array[] {
    this.#endSmall();
    return this.#chunks;
  }

  #endSmall(): void {
    if (this.#small !== undefined) this.#chunks.push(this.#small.subarray(0, this.#smallLength));
    this.#small = undefined;
    this.#smallLength = 0;
  }
}
