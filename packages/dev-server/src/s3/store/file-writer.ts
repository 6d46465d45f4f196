import { type FileHandle, open, rename, unlink } from "node:fs/promises";

const batchBytes = 1 << 20;
const backlogBytes = 4 << 20;

/** Writes a file under a temporary name, in large gathered writes, and gives it its own name only once it is complete. */
export class FileWriter {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #fsync: boolean;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #position = 0;
  #writing: Promise<void> | undefined;
  #error: unknown;
  /** Called when `write` returned false and there is room again. */
  onDrain: () => void = () => {};

  private constructor(path: string, handle: FileHandle, fsync: boolean) {
    this.#path = path;
    this.#handle = handle;
    this.#fsync = fsync;
  }

  /** Opens a new file; the one of that name stays as it is until `finish`. */
  static async create(path: string, fsync: boolean): Promise<FileWriter> {
    return new FileWriter(path, await open(`${path}.tmp`, "wx", 0o600), fsync);
  }

  /** Takes a piece that nobody changes any more. False asks to wait for `onDrain` before the next one. */
  write(piece: Buffer): boolean {
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes >= batchBytes) this.#writeNext();
    return this.#waitingBytes < backlogBytes;
  }

  /** Writes what waits, and gives the file its name. */
  async finish(): Promise<void> {
    try {
      while (this.#waitingBytes > 0 || this.#writing !== undefined) {
        this.#writeNext();
        await this.#writing;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#fsync) await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
    await rename(`${this.#path}.tmp`, this.#path);
  }

  /** Leaves nothing behind; for a file that was not finished. */
  async discard(): Promise<void> {
    await this.#writing;
    await this.#handle.close().catch(() => {});
    await unlink(`${this.#path}.tmp`).catch(() => {});
  }

  #writeNext(): void {
    if (this.#writing !== undefined || this.#waitingBytes === 0) return;
    const [batch, bytes] = [this.#waiting, this.#waitingBytes];
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writing = this.#writeBatch(batch, bytes);
  }

  async #writeBatch(batch: Buffer[], bytes: number): Promise<void> {
    try {
      const { bytesWritten } = await this.#handle.writev(batch, this.#position);
      if (bytesWritten !== bytes) throw new Error("The disk took only a part of the data.");
      this.#position += bytes;
    } catch (error) {
      this.#error = error;
    }
    this.#writing = undefined;
    if (this.#waitingBytes >= batchBytes) this.#writeNext();
    this.onDrain();
  }
}
