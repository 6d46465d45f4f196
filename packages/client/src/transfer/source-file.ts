import type { BigIntStats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { FileChangedError } from "./file-changed-error.js";
import { piecesOfFile } from "./file-pieces.js";

/** What tells that a file is the one that it was, as far as its system says: whoever maps it into memory may change it unseen. */
export interface FileIdentity {
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since 1970, in decimal digits. */
  readonly modified: string;
  /** The same of its last change of any kind. */
  readonly changed: string;
  /** Device and number of the file. */
  readonly inode: string;
}

/** A regular file that is read in places, and must stay what it was when it was opened. */
export class SourceFile {
  readonly path: string;
  readonly identity: FileIdentity;
  readonly #file: FileHandle;
  readonly #links: bigint;

  private constructor(path: string, file: FileHandle, stats: BigIntStats) {
    this.path = path;
    this.#file = file;
    this.identity = identityOf(stats);
    this.#links = stats.nlink;
  }

  /**
   * Undefined for what is no regular file, such as a pipe, or one of `/proc`: it can be read only once and has no places.
   * @throws S3EncryptionError `invalid-argument` for a folder, and for what is not there or may not be read
   */
  static async open(path: string): Promise<SourceFile | undefined> {
    try {
      return await SourceFile.#open(path);
    } catch (error) {
      throw toldOf(path, error);
    }
  }

  static async #open(path: string): Promise<SourceFile | undefined> {
    const there = await stat(path);
    if (there.isDirectory()) throw new S3EncryptionError("invalid-argument", `${path} is a folder: name a file.`);
    // Opening a pipe waits for whoever writes to it, and closing it again would end that.
    if (!there.isFile()) return undefined;
    const file = await open(path);
    try {
      const stats = await file.stat({ bigint: true });
      if (stats.isFile() && !(await isMadeUp(file, stats))) return new SourceFile(path, file, stats);
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return undefined;
  }

  /** Bytes, when it was opened. */
  get length(): number {
    return this.identity.size;
  }

  /**
   * Fills `target` with the bytes at `position`.
   * @throws FileChangedError where the file has fewer by now
   */
  async read(target: Uint8Array, position: number): Promise<void> {
    for (let filled = 0; filled < target.length; ) {
      const { bytesRead } = await this.#file.read(target, filled, target.length - filled, position + filled);
      if (bytesRead === 0) throw this.changed();
      filled += bytesRead;
    }
  }

  /**
   * All of it, in order, once; pieces are valid as those of `piecesOfFile`.
   * @throws FileChangedError where it has another length by now, or is another one at its end
   */
  async *pieces(): AsyncGenerator<Uint8Array> {
    let left = this.length;
    for await (const piece of piecesOfFile(this.#file)) {
      left -= piece.length;
      if (left < 0) throw this.changed();
      yield piece;
    }
    await this.assertUnchanged();
  }

  /** @throws FileChangedError unless its system says that it is what it was when it was opened */
  async assertUnchanged(): Promise<void> {
    const stats = await this.#file.stat({ bigint: true });
    // Where another one has its name by now, its times say so, too, but in Deno to the second only.
    const isGone = stats.nlink === 0n && this.#links > 0n;
    if (isGone || !isSameFile(identityOf(stats), this.identity)) throw this.changed();
  }

  changed(cause?: unknown): FileChangedError {
    return new FileChangedError(this.path, cause);
  }

  /** Harmless when it is closed. */
  async close(): Promise<void> {
    await this.#file.close().catch((error: unknown) => {
      if (!isError(error) || error.code !== "EBADF") throw error;
    });
  }
}

/** Whether a system makes up a file's bytes as they are read: its size, 0 in `/proc` and a page in `/sys`, says nothing of them. */
async function isMadeUp(file: FileHandle, { size, blocks }: BigIntStats): Promise<boolean> {
  if (blocks > 0n) return false;
  const { bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size === 0n ? 0 : Number(size - 1n));
  return bytesRead === (size === 0n ? 1 : 0);
}

const REASONS: Readonly<Record<string, string>> = { ENOENT: "is not there", EACCES: "may not be read by this process" };

function toldOf(path: string, error: unknown): unknown {
  const reason = isError(error) && typeof error.code === "string" ? REASONS[error.code] : undefined;
  if (reason === undefined) return error;
  return new S3EncryptionError("invalid-argument", `The file ${path} ${reason}.`, { cause: error });
}

/** Whether both are of one file that nobody has written to in between. */
export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.size === b.size && a.modified === b.modified && a.changed === b.changed && a.inode === b.inode;
}

function identityOf({ size, mtimeNs, ctimeNs, dev, ino }: BigIntStats): FileIdentity {
  return { size: Number(size), modified: String(mtimeNs), changed: String(ctimeNs), inode: `${dev}:${ino}` };
}
