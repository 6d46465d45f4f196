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
  #filled = 0;
  #position = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Takes a chunk that nobody changes any more; rejects when one before it could not be written. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#kept.push(chunk);
    this.#filled += chunk.length;
    if (this.#filled >= PIECE) await this.#flush();
  }

  /** Resolves when everything is written. To be awaited before the file is closed, whatever has happened. */
  async end(): Promise<void> {
    if (this.#filled > 0) await this.#flush();
    await this.#writing;
  }

  async #flush(): Promise<void> {
    await this.#writing;
    this.#writing = writeAll(this.#file, this.#kept, this.#position);
    // Its failure is reported by the next flush, or by the end.
    this.#writing.catch(() => {});
    this.#position += this.#filled;
    this.#filled = 0;
    this.#kept = [];
  }
}
