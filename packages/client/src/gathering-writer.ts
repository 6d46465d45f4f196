import type { FileHandle } from "node:fs/promises";

const PIECE = 1024 * 1024;

/**
 * Appends chunks to a file. Those of a network's size would make slow writes: a larger piece is gathered while the one
 * before it is being written. Chunks are copied, so that they may be used again at once.
 */
export class GatheringWriter {
  readonly #file: FileHandle;
  #writing: Promise<void> = Promise.resolve();
  #piece: Buffer = Buffer.allocUnsafeSlow(PIECE);
  #other: Buffer = Buffer.allocUnsafeSlow(PIECE);
  #filled = 0;
  #position = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Takes a chunk; rejects when one before it could not be written. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      const taken = chunk.subarray(offset, offset + PIECE - this.#filled);
      this.#piece.set(taken, this.#filled);
      this.#filled += taken.length;
      offset += taken.length;
      if (this.#filled === PIECE) await this.#flush();
    }
  }

  /** Resolves when everything is written. To be awaited before the file is closed, whatever has happened. */
  async end(): Promise<void> {
    if (this.#filled > 0) await this.#flush();
    await this.#writing;
  }

  async #flush(): Promise<void> {
    await this.#writing;
    this.#writing = writeAll(this.#file, this.#piece.subarray(0, this.#filled), this.#position);
    // Its failure is reported by the next flush, or by the end.
    this.#writing.catch(() => {});
    this.#position += this.#filled;
    this.#filled = 0;
    [this.#piece, this.#other] = [this.#other, this.#piece];
  }
}

/** A disk that fills up takes what it can first; the rest then fails with the reason. */
async function writeAll(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < piece.length; ) {
    written += (await file.write(piece, written, piece.length - written, position + written)).bytesWritten;
  }
}
