import { statSync } from "node:fs";
import { open } from "node:fs/promises";

/** Reading in pieces of 64 KiB, as a read stream does by itself, takes three times as long. */
const READ_LENGTH = 1024 * 1024;
/** What OpenSSL is fastest in. */
const PIECE = 256 * 1024;

/** The body of an upload that is given as the path of a file. */
export class FileBody {
  readonly #path: string | URL;

  constructor(path: string | URL) {
    this.#path = path;
  }

  /** Bytes; undefined for what is not a regular file, and where reading it will fail. */
  length(): number | undefined {
    const stats = statSync(this.#path, { throwIfNoEntry: false });
    return stats?.isFile() === true ? stats.size : undefined;
  }

  /** Opens the file once it is read from. A piece is valid until the next one is asked for: two buffers serve for all. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const file = await open(this.#path);
    let spare = Buffer.allocUnsafeSlow(READ_LENGTH);
    let reading = file.read(Buffer.allocUnsafeSlow(READ_LENGTH), 0, READ_LENGTH);
    try {
      while (true) {
        const { bytesRead, buffer } = await reading;
        if (bytesRead === 0) return;
        // Read while the pieces are encrypted; that it failed is told when it is their turn.
        reading = file.read(spare, 0, READ_LENGTH);
        reading.catch(() => {});
        for (let offset = 0; offset < bytesRead; offset += PIECE) {
          yield buffer.subarray(offset, Math.min(bytesRead, offset + PIECE));
        }
        spare = buffer;
      }
    } finally {
      await Promise.allSettled([reading]);
      await file.close();
    }
  }
}
