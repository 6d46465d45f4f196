import { constants, open as openDescriptor } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { promisify } from "node:util";

/** Reading in pieces of 64 KiB, as a read stream does by itself, takes three times as long. */
const READ_LENGTH = 1024 * 1024;
/** What OpenSSL is fastest in. */
const PIECE = 256 * 1024;

/**
 * The bytes of a file, from where it stands. Three buffers serve for all of it: a piece is valid until the next but one is
 * asked for, since decryption holds the last one back, and what follows is read meanwhile.
 */
export async function* piecesOfFile(file: FileHandle): AsyncGenerator<Uint8Array> {
  let before = Buffer.allocUnsafeSlow(READ_LENGTH);
  let spare = Buffer.allocUnsafeSlow(READ_LENGTH);
  let reading = file.read(Buffer.allocUnsafeSlow(READ_LENGTH), 0, READ_LENGTH);
  try {
    while (true) {
      const { bytesRead, buffer } = await reading;
      if (bytesRead === 0) return;
      reading = file.read(spare, 0, READ_LENGTH);
      // That it failed is told when it is its turn.
      reading.catch(() => {});
      for (let offset = 0; offset < bytesRead; offset += PIECE) {
        yield buffer.subarray(offset, Math.min(bytesRead, offset + PIECE));
      }
      spare = before;
      before = buffer;
    }
  } finally {
    // Whoever closes the file next must not find it busy.
    await Promise.allSettled([reading]);
  }
}

/**
 * The same of a file that is opened once it is read from, and closed behind that.
 *
 * @param signal ends it where it waits for whoever writes to a pipe
 */
export async function* piecesOfPath(path: string | URL, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (WAITS_BY_POLLING && (await stat(path)).isFIFO()) return yield* piecesOfPipe(path, signal);
  const file = await open(path);
  try {
    yield* piecesOfFile(file);
  } finally {
    await file.close();
  }
}

/** Elsewhere, what is opened without waiting has ended already where nobody writes to it yet; sockets of Bun and Deno read no pipe. */
const WAITS_BY_POLLING =
  process.platform === "linux" && process.versions["bun"] === undefined && process.versions["deno"] === undefined;

/** Opening it as a file would hold one of the few threads of the process until somebody writes to it, and nothing could end that. */
async function* piecesOfPipe(path: string | URL, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const fd = await promisify(openDescriptor)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const pipe = new Socket({ fd, readable: true, writable: false });
  const onEnd = (): void => void pipe.destroy();
  signal?.addEventListener("abort", onEnd, { once: true });
  if (signal?.aborted === true) onEnd();
  try {
    yield* pipe;
  } finally {
    signal?.removeEventListener("abort", onEnd);
    pipe.destroy();
  }
}
