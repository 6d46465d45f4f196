import { type ContentKey, decryptContent, decryptContentUnverified, plaintextLength } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { ResolvedOptions } from "./options.js";
import { spoolContent } from "./spool.js";

/** A whole stored body as it arrives, and how to let go of it. */
export interface CiphertextBody {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly destroy: () => void;
}

/** What it was encrypted from. */
export interface Plaintext {
  readonly chunks: AsyncGenerator<Uint8Array>;
  /** Bytes; undefined where only the end will tell. */
  readonly length: number | undefined;
  /** To be called once the chunks were read, or are not wanted any more. */
  readonly destroy: () => void;
}

/**
 * Decrypts a whole object, and gives it out only once it is authenticated unless the options say otherwise (S12): from
 * memory up to `bufferSize`, above it from a private copy of the ciphertext.
 *
 * @param storedLength bytes of the body, where S3 said it
 */
export async function openWhole(
  options: ResolvedOptions,
  content: ContentKey,
  body: CiphertextBody,
  storedLength: number | undefined,
): Promise<Plaintext> {
  const { suite } = content;
  const length = storedLength === undefined ? undefined : (plaintextLength(suite, storedLength) ?? storedLength);
  if (length !== undefined && length <= options.bufferSize && !options.enableDelayedAuthenticationMode) {
    const chunks = await decryptContent(content, body.chunks);
    const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return { chunks: each(chunks), length: total, destroy: () => {} };
  }
  // CBC carries no tag, so holding it back would prove nothing.
  if (options.enableDelayedAuthenticationMode || suite.cipher === "cbc") {
    return {
      chunks: decryptContentUnverified(content, body.chunks),
      length: suite.cipher === "cbc" ? undefined : length,
      destroy: body.destroy,
    };
  }
  if (options.spool === false) {
    throw new S3EncryptionError(
      "content-too-large",
      `The object is larger than bufferSize (${options.bufferSize} bytes), the most that is held until it is authenticated: raise bufferSize, allow spooling, or accept enableDelayedAuthenticationMode.`,
    );
  }
  const spooled = await spoolContent(content, body.chunks, options.spool.directory);
  return { ...spooled, destroy: () => void spooled.destroy().catch(() => {}) };
}

async function* each(chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
