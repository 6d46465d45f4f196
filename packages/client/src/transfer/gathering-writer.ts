import type { FileHandle } from "node:fs/promises";
import { writeAll } from "./write-all.js";

const PIECE = 1024 * 1024;

/**
 * Appends chunks to a file. Those of a network's size would make slow writes: a larger piece is gathered while the one
 * before it is being written.
 */
export class GatheringWriter {
  readonly #file: FileHandle;
  #writing: Promise<void> = Promise.resolve();
  #kept: Uint8Array[] = [];
  #piece = new Uint8Array(0);
  #other = new Uint8Array(0);
  #filled = 0;
  #position = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Takes a chunk that nobody changes any more; rejects when one before it could not be written. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#kept.push(chunk);
    this.#filled += chunk.length;
    if (this.#filled >= PIECE) await this.#flush(this.#kept);
  }

  /** The same of a chunk that is used again at once: it is copied. Not to be mixed with `write`. */
  async copy(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      if (this.#piece.length === 0) this.#piece = Buffer.allocUnsafeSlow(PIECE);
      const taken = chunk.subarray(offset, offset + PIECE - this.#filled);
      this.#piece.set(taken, this.#filled);
      this.#filled += taken.length;
      offset += taken.length;
      if (this.#filled === PIECE) await this.#flush([this.#piece]);
    }
  }

  /** Resolves when everything is written. To be awaited before the file is closed, whatever has happened. */
  async end(): Promise<void> {
    const copied = this.#kept.length === 0 ? [this.#piece.subarray(0, this.#filled)] : this.#kept;
    if (this.#filled > 0) await this.#flush(copied);
    await this.#writing;
  }

  async #flush(chunks: readonly Uint8Array[]): Promise<void> {
    await this.#writing;
    this.#writing = writeAll(this.#file, chunks, this.#position);
    // Its failure is reported by the next flush, or by the end.
    this.#writing.catch(() => {});
    this.#position += this.#filled;
    this.#filled = 0;
    this.#kept = [];
    [this.#piece, this.#other] = [this.#other, this.#piece];
  }
}
