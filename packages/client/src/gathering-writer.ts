import type { FileHandle } from "node:fs/promises";

const PIECE = 1024 * 1024;

/**
 * Appends chunks to a file. Those of a network's size would make slow writes: a larger piece is gathered while the one
 * before it is being written. The chunks must not be changed before `end`.
 */
export class GatheringWriter {
  readonly #file: FileHandle;
  #writing: Promise<void> = Promise.resolve();
  #gathered: Uint8Array[] = [];
  #length = 0;
  #position = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Takes a chunk, as soon as there is room for it; rejects when one before it could not be written. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    this.#gathered.push(chunk);
    this.#length += chunk.length;
    return this.#length < PIECE ? undefined : this.#flush();
  }

  /** Resolves when everything is written. To be awaited before the file is closed, whatever has happened. */
  async end(): Promise<void> {
    if (this.#length > 0) await this.#flush();
    await this.#writing;
  }

  async #flush(): Promise<void> {
    const [chunks, length, position] = [this.#gathered, this.#length, this.#position];
    this.#gathered = [];
    this.#length = 0;
    this.#position += length;
    await this.#writing;
    this.#writing = writeAll(this.#file, chunks, length, position);
    // Its failure is reported by the next flush, or by the end.
    this.#writing.catch(() => {});
  }
}

async function writeAll(file: FileHandle, chunks: Uint8Array[], length: number, position: number): Promise<void> {
  let { bytesWritten } = await file.writev(chunks, position);
  if (bytesWritten === length) return;
  // A disk that fills up takes what it can first; the rest then fails with the reason.
  const all = Buffer.concat(chunks);
  while (bytesWritten < length) {
    bytesWritten += (await file.write(all, bytesWritten, length - bytesWritten, position + bytesWritten)).bytesWritten;
  }
}
