import type { BigIntStats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { isError } from "@s3ec/materials";
import { FileChangedError } from "./file-changed-error.js";

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

  private constructor(path: string, file: FileHandle, identity: FileIdentity) {
    this.path = path;
    this.#file = file;
    this.identity = identity;
  }

  /** Undefined for what is no regular file, such as a pipe, which can be read only once and has no places. */
  static async open(path: string): Promise<SourceFile | undefined> {
    // Opening a pipe waits for whoever writes to it, and closing it again would end that.
    if (!(await stat(path)).isFile()) return undefined;
    const file = await open(path);
    try {
      const stats = await file.stat({ bigint: true });
      if (stats.isFile()) return new SourceFile(path, file, identityOf(stats));
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

  /** @throws FileChangedError unless its system says that it is what it was when it was opened */
  async assertUnchanged(): Promise<void> {
    if (!isSameFile(identityOf(await this.#file.stat({ bigint: true })), this.identity)) throw this.changed();
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

/** Whether both are of one file that nobody has written to in between. */
export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.size === b.size && a.modified === b.modified && a.changed === b.changed && a.inode === b.inode;
}

function identityOf({ size, mtimeNs, ctimeNs, dev, ino }: BigIntStats): FileIdentity {
  return { size: Number(size), modified: String(mtimeNs), changed: String(ctimeNs), inode: `${dev}:${ino}` };
}
