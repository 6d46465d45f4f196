import { createDecipheriv } from "node:crypto";
import type { ContentKey } from "./content-key.js";
import { type AlignedRange, exactlyFetched, rangeCutter } from "./content-range.js";
import { decryptionFailed, S3EncryptionError } from "./errors.js";

const BLOCK = 16;

type Decipher = ReturnType<typeof createDecipheriv>;

function cbcDecipher({ key, iv }: ContentKey): Decipher {
  const bits = (key.symmetricKeySize ?? 32) * 8;
  return createDecipheriv(`aes-${bits}-cbc`, key, iv);
}

/** Without a cause: OpenSSL tells a bad length from a bad padding, and that must not get out in any way (S1). */
function lastBlock(decipher: Decipher): Uint8Array {
  try {
    return decipher.final();
  } catch {
    throw decryptionFailed();
  }
}

/**
 * AES-CBC with PKCS#7 padding: unauthenticated. Every failure is one error, raised at the end only (S1). An emptied body
 * is one too, since CBC content has at least its padding block.
 */
export async function* decryptCbc(
  content: ContentKey,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const decipher = cbcDecipher(content);
  let length = 0;
  for await (const chunk of ciphertext) {
    length += chunk.length;
    const plaintext = decipher.update(chunk);
    if (plaintext.length > 0) yield plaintext;
  }
  // Not left to the last block: Deno's takes an emptied body for an empty one.
  if (length === 0 || length % BLOCK !== 0) throw decryptionFailed();
  const last = lastBlock(decipher);
  if (last.length > 0) yield last;
}

/**
 * CBC blocks from the middle. The block before the range is fetched for the chaining alone: what it decrypts to itself
 * is dropped (1.7). Padding is removed only where the range reaches the end of the object, and must then end the content
 * where it was said to end: S3's answer has told that length already.
 */
export async function* decryptCbcRange(
  content: ContentKey,
  range: AlignedRange,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const decipher = cbcDecipher(content).setAutoPadding(range.reachesEnd);
  const cut = rangeCutter(range.blockOffset - range.fetchFirst + range.skip, range.take);
  let given = 0;
  let end = range.fetchFirst;
  const within = (plaintext: Uint8Array): Uint8Array => {
    const part = cut(plaintext);
    end += plaintext.length;
    given += part.length;
    return part;
  };
  for await (const chunk of exactlyFetched(range, ciphertext)) {
    const part = within(decipher.update(chunk));
    if (part.length > 0) yield part;
  }
  const last = within(lastBlock(decipher));
  if (range.reachesEnd && range.total !== undefined && end !== range.total) throw decryptionFailed();
  if (last.length > 0) yield last;
  // Where the content ends, only its padding tells, which is why `alignRange` could not.
  if (given === 0) {
    throw new S3EncryptionError("invalid-argument", "The range starts past the end of the object's content.");
  }
}
