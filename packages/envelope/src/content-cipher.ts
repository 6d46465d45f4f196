import { decryptCbc, decryptCbcRange } from "./content-cbc.js";
import { decryptGcmUnverified, encryptGcm } from "./content-gcm.js";
import { decryptGcmRange } from "./content-gcm-range.js";
import type { ContentKey } from "./content-key.js";
import type { AlignedRange } from "./content-range.js";

/**
 * Encrypts a whole body in one pass: as many bytes as came in, then the tag.
 * @throws S3EncryptionError `content-too-large`, from the generator, once the body exceeds `suite.maxContentLength`
 */
export function encryptContent(content: ContentKey, plaintext: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return encryptGcm(content, plaintext);
}

/**
 * Decrypts a whole body in one pass. Releases plaintext **before it is authenticated**: it ends without an error only
 * when the tag (GCM) verified, so a caller must not act on what it yields before that (S12).
 * @throws S3EncryptionError `decryption-failed`, from the generator, whatever is wrong (S1, S16)
 */
export function decryptContentUnverified(
  content: ContentKey,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  return content.suite.cipher === "cbc" ? decryptCbc(content, ciphertext) : decryptGcmUnverified(content, ciphertext);
}

/**
 * Decrypts a whole body and gives it out only once it is authenticated. Holds all of it in memory. CBC has nothing to
 * authenticate it by: only its padding is checked.
 * @throws S3EncryptionError `decryption-failed`, whatever is wrong (S1, S16)
 */
export async function decryptContent(
  content: ContentKey,
  ciphertext: AsyncIterable<Uint8Array>,
): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decryptContentUnverified(content, ciphertext)) chunks.push(chunk);
  return chunks;
}

/**
 * Decrypts the bytes of a range that were fetched as `range` says. Never authenticated (S12).
 * @throws S3EncryptionError `decryption-failed`, from the generator, for other than the bytes asked for and for wrong padding;
 * `invalid-argument` for a range of CBC content that turns out to start past its end
 */
export function decryptContentRange(
  content: ContentKey,
  range: AlignedRange,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  return content.suite.cipher === "cbc"
    ? decryptCbcRange(content, range, ciphertext)
    : decryptGcmRange(content, range, ciphertext);
}
