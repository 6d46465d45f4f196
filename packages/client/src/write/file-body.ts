import { statSync } from "node:fs";
import { piecesOfPath } from "../transfer/file-pieces.js";

/** The body of an upload that is given as the path of a file. */
export class FileBody {
  readonly #path: string | URL;

  constructor(path: string | URL) {
    this.#path = path;
  }

  /** Bytes; undefined for what is not a regular file or takes no room (one of `/proc`), and where reading it will fail. */
  length(): number | undefined {
    const stats = statSync(this.#path, { throwIfNoEntry: false });
    return stats?.isFile() === true && stats.blocks > 0 ? stats.size : undefined;
  }

  chunks(): AsyncGenerator<Uint8Array> {
    return piecesOfPath(this.#path);
  }
}
