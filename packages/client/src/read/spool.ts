import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3EncryptionError } from "@s3ec/materials";
import { piecesOfFile } from "../transfer/file-pieces.js";
import { GatheringWriter } from "../transfer/gathering-writer.js";
import type { Decryption } from "./whole-content.js";

/** Content that has been authenticated and can be decrypted from its private copy of the ciphertext. */
export interface SpooledContent {
  readonly chunks: AsyncGenerator<Uint8Array>;
  /** Plaintext bytes. */
  readonly length: number;
  /** Deletes the copy; to be called once the chunks were read, or are not wanted any more. */
  readonly destroy: () => Promise<void>;
}

// Of content that nobody reads any more and that nobody destroyed: a file that only the collection of its memory closes
// ends the process, as of Node 25.
const abandoned = new FinalizationRegistry<() => Promise<void>>((destroy) => void destroy().catch(() => {}));

/**
 * Authenticates content of any size before a byte of it is released (S12), without holding it in memory and without
 * plaintext on disk: the ciphertext goes to a file that only this process can open, is verified on its way, and is
 * decrypted a second time from there.
 */
export async function spoolContent(
  decryption: Pick<Decryption, "decrypt">,
  ciphertext: AsyncIterable<Uint8Array>,
  directory: string = tmpdir(),
): Promise<SpooledContent> {
  const path = join(directory, `s3ec-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  // Unlinked while open, the file goes with the process, however that ends. Where the system does not allow it
  // (Windows), it is unlinked on destroy.
  const unlinked = await unlink(path).then(
    () => true,
    () => false,
  );
  const destroy = async (): Promise<void> => {
    abandoned.unregister(file);
    await file.close();
    if (!unlinked) await unlink(path);
  };
  try {
    let length = 0;
    for await (const chunk of decryption.decrypt(copying(ciphertext, file))) {
      length += chunk.length;
      chunk.fill(0);
    }
    // Everything was written at a position of its own, so that the file still stands at its beginning.
    const chunks = decryption.decrypt(piecesOfFile(file));
    abandoned.register(chunks, destroy, file);
    return { chunks, length, destroy };
  } catch (error) {
    await destroy();
    throw isDiskFull(error) ? diskFull(directory, error) : error;
  }
}

async function* copying(chunks: AsyncIterable<Uint8Array>, file: FileHandle): AsyncGenerator<Uint8Array> {
  const writer = new GatheringWriter(file);
  try {
    for await (const chunk of chunks) {
      await writer.copy(chunk);
      yield chunk;
    }
  } finally {
    await writer.end();
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

function diskFull(directory: string, cause: unknown): S3EncryptionError {
  return new S3EncryptionError(
    "content-too-large",
    `The object does not fit into the spool directory ${directory}; name a larger one in spool.directory.`,
    { cause },
  );
}
