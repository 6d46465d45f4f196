import { createCipheriv, createDecipheriv } from "node:crypto";
import type { ContentKey } from "./content-key.js";
import { decryptionFailed, S3EncryptionError } from "./errors.js";

const TAG_LENGTH = 16;

/** `aes-128-gcm` to `aes-256-gcm`, by the key's own length (H19). */
function gcmName({ key }: ContentKey): "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" {
  return key.symmetricKeySize === 16 ? "aes-128-gcm" : key.symmetricKeySize === 24 ? "aes-192-gcm" : "aes-256-gcm";
}

/** AES-GCM (NIST SP 800-38D 7.1): ciphertext as it comes, the 16-byte tag last. */
export async function* encryptGcm(
  content: ContentKey,
  plaintext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv(gcmName(content), content.key, content.iv, { authTagLength: TAG_LENGTH });
  cipher.setAAD(content.aad);
  let length = 0;
  for await (const chunk of plaintext) {
    if (chunk.length === 0) continue;
    length += chunk.length;
    if (length > content.suite.maxContentLength) throw contentTooLarge(content.suite.maxContentLength);
    yield cipher.update(chunk);
  }
  cipher.final();
  yield cipher.getAuthTag();
}

/**
 * AES-GCM (SP 800-38D 7.2) over `ciphertext ‖ tag`, one chunk behind the source since the last 16 bytes are the tag.
 * What it yields is unauthenticated until it ends; it ends in the uniform error unless the tag verified.
 */
export async function* decryptGcmUnverified(
  content: ContentKey,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const decipher = createDecipheriv(gcmName(content), content.key, content.iv, { authTagLength: TAG_LENGTH });
  decipher.setAAD(content.aad);
  let held: Uint8Array = new Uint8Array(0);
  let length = 0;
  for await (const chunk of ciphertext) {
    if (chunk.length === 0) continue;
    length += chunk.length;
    if (length > content.suite.maxContentLength + TAG_LENGTH) throw decryptionFailed();
    if (chunk.length >= TAG_LENGTH) {
      if (held.length > 0) yield decipher.update(held);
      held = chunk;
      continue;
    }
    // A chunk shorter than the tag: all but the last 16 bytes seen so far are content.
    const seen = Buffer.concat([held, chunk]);
    const contentEnd = Math.max(0, seen.length - TAG_LENGTH);
    if (contentEnd > 0) yield decipher.update(seen.subarray(0, contentEnd));
    held = seen.subarray(contentEnd);
  }
  const contentEnd = held.length - TAG_LENGTH;
  if (contentEnd < 0) throw decryptionFailed();
  decipher.setAuthTag(held.subarray(contentEnd));
  if (contentEnd > 0) yield decipher.update(held.subarray(0, contentEnd));
  try {
    decipher.final();
  } catch {
    throw decryptionFailed();
  }
}

function contentTooLarge(limit: number): S3EncryptionError {
  return new S3EncryptionError(
    "content-too-large",
    `The content exceeds the ${limit} bytes that one AES-GCM message may hold; split it over several objects.`,
  );
}
