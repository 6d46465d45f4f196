import { type FileHandle, open } from "node:fs/promises";

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

/** The same of a file that is opened once it is read from, and closed behind that. */
export async function* piecesOfPath(path: string | URL): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    yield* piecesOfFile(file);
  } finally {
    await file.close();
  }
}
