import { statSync } from "node:fs";
import { piecesOfPath } from "../transfer/file-pieces.js";
import type { SourceFile } from "../transfer/source-file.js";

/** The body of an upload that is given as the path of a file. */
export class FileBody {
  readonly #path: string | URL;
  readonly #file: SourceFile | undefined;
  readonly #end = new AbortController();

  /** @param file the same, opened, where it is one that must stay what it was */
  constructor(path: string | URL, file: SourceFile | undefined) {
    this.#path = path;
    this.#file = file;
  }

  /** Bytes; undefined for what is not a regular file or takes no room (one of `/proc`), and where reading it will fail. */
  length(): number | undefined {
    if (this.#file !== undefined) return this.#file.length;
    const stats = statSync(this.#path, { throwIfNoEntry: false });
    return stats?.isFile() === true && stats.blocks > 0 ? stats.size : undefined;
  }

  chunks(): AsyncGenerator<Uint8Array> {
    return this.#file?.pieces() ?? piecesOfPath(this.#path, this.#end.signal);
  }

  /** Waits for nothing any more. */
  destroy(): void {
    this.#end.abort();
  }
}
