import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContentProof, decryptionFailed, type ProvenContent } from "@s3ec/envelope";
import { isError, type OpenedObject, S3EncryptionError } from "@s3ec/materials";
import { inFolder } from "../transfer/file-errors.js";
import { type BodyToRead, readAll } from "./drained.js";
import { KeptPieces } from "./kept-pieces.js";
import { SpoolFile } from "./spool-file.js";

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
 * plaintext on disk: the ciphertext goes to a file that only this process can open, is proven by its hash on its way, and
 * is decrypted from there, each piece after another look at its own hash (G5). What cannot be proven by a hash is decrypted
 * twice, and its pieces are known again by digests of their own (G10).
 */
export async function spoolContent(
  opened: Pick<OpenedObject, "decrypt" | "proof">,
  body: BodyToRead,
  directory: string = tmpdir(),
): Promise<SpooledContent> {
  const path = join(directory, `s3ec-${randomUUID()}`);
  const file = await inFolder(directory, () => open(path, "wx+", 0o600), {
    code: "invalid-configuration",
    advice:
      "Objects above bufferSize are spooled there: name another folder in spool.directory, raise bufferSize, or set spool: false.",
  });
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
    const proof = opened.proof?.(true);
    const { chunks, length } =
      proof === undefined ? await decryptedTwice(opened, body, file) : await provenByHash(proof, body, file);
    abandoned.register(chunks, destroy, file);
    return { chunks, length, destroy };
  } catch (error) {
    await destroy();
    throw isDiskFull(error) ? diskFull(directory, error) : error;
  }
}

type Spooled = Pick<SpooledContent, "chunks" | "length">;

async function provenByHash(proof: ContentProof, body: BodyToRead, file: FileHandle): Promise<Spooled> {
  const spool = new SpoolFile(file, (ciphertext) => proof.add(ciphertext));
  try {
    await readAll(body, spool.take);
    await spool.end();
  } finally {
    await spool.idle();
  }
  const proven = proof.prove();
  return { chunks: openedPieces(proven, spool), length: proven.length };
}

/** A disk that lost or changed a piece meanwhile ends the stream in front of it. */
async function* openedPieces(proven: ProvenContent, spool: SpoolFile): AsyncGenerator<Uint8Array> {
  let index = 0;
  for await (const ciphertext of spool.read(proven.pieces)) {
    const plaintext = proven.open(index++, ciphertext);
    if (plaintext === undefined) throw decryptionFailed();
    yield plaintext;
  }
}

async function decryptedTwice(
  opened: Pick<OpenedObject, "decrypt">,
  { chunks }: BodyToRead,
  file: FileHandle,
): Promise<Spooled> {
  const kept = new KeptPieces();
  const spool = new SpoolFile(file, (ciphertext) => kept.add(ciphertext));
  let length = 0;
  for await (const chunk of opened.decrypt(copying(chunks, spool))) {
    length += chunk.length;
    chunk.fill(0);
  }
  return { chunks: opened.decrypt(samePieces(kept, spool)), length };
}

async function* copying(chunks: AsyncIterable<Uint8Array>, spool: SpoolFile): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of chunks) {
      // Decryption holds it until the next one comes, and whoever gave it may use it again.
      const ciphertext = new Uint8Array(chunk);
      await spool.take(ciphertext);
      yield ciphertext;
    }
    await spool.end();
  } finally {
    await spool.idle();
  }
}

/** What the tag vouched for, read back: a piece that the disk lost or changed meanwhile ends it in front of that (G5). */
async function* samePieces(kept: KeptPieces, spool: SpoolFile): AsyncGenerator<Uint8Array> {
  const pieces = kept.end();
  let index = 0;
  for await (const read of spool.read(pieces)) {
    const piece = pieces[index++];
    // Decryption holds one back, in which the spool would read what follows.
    const ciphertext = new Uint8Array(read);
    if (piece === undefined || !kept.isSame(piece, ciphertext)) throw decryptionFailed();
    yield ciphertext;
  }
}

function isDiskFull(error: unknown): boolean {
  return isError(error) && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

function diskFull(directory: string, cause: unknown): S3EncryptionError {
  return new S3EncryptionError(
    "content-too-large",
    `The object does not fit into the spool directory ${directory}; name a larger one in spool.directory.`,
    { cause },
  );
}
