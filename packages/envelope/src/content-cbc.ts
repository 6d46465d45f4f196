import { createDecipheriv } from "node:crypto";
import type { ContentKey } from "./content-cipher.js";
import type { AlignedRange } from "./content-range.js";
import { decryptionFailed } from "./errors.js";

const BLOCK = 16;

function cbcDecipher({ key }: ContentKey, iv: Uint8Array): ReturnType<typeof createDecipheriv> {
  const bits = (key.symmetricKeySize ?? 32) * 8;
  return createDecipheriv(`aes-${bits}-cbc`, key, iv);
}

/** AES-CBC with PKCS#7 padding: unauthenticated. Every failure is one error, raised at the end only (S1). */
export async function* decryptCbc(
  content: ContentKey,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const decipher = cbcDecipher(content, content.iv);
  let length = 0;
  for await (const chunk of ciphertext) {
    length += chunk.length;
    const plaintext = decipher.update(chunk);
    if (plaintext.length > 0) yield plaintext;
  }
  let last: Uint8Array;
  try {
    last = decipher.final();
  } catch (cause) {
    throw decryptionFailed(cause);
  }
  // An emptied body would otherwise read as an empty object: CBC content has at least its padding block.
  if (length === 0) throw decryptionFailed();
  if (last.length > 0) yield last;
}

/**
 * CBC blocks from the middle: the block before the first one is its IV (1.7). Padding is removed only where the range
 * reaches the end of the object.
 */
export async function* decryptCbcRange(
  content: ContentKey,
  range: AlignedRange,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let iv: Uint8Array | undefined = range.blockOffset === 0 ? content.iv : undefined;
  let pending: Buffer = Buffer.alloc(0);
  let decipher = iv === undefined ? undefined : cbcDecipher(content, iv).setAutoPadding(range.reachesEnd);
  let skip = range.skip;
  let take = range.take;
  const trim = (plaintext: Uint8Array): Uint8Array => {
    const from = Math.min(skip, plaintext.length);
    skip -= from;
    const part = plaintext.subarray(from, from + take);
    take -= part.length;
    return part;
  };
  for await (const chunk of ciphertext) {
    let blocks: Uint8Array = chunk;
    if (decipher === undefined) {
      pending = Buffer.concat([pending, chunk]);
      if (pending.length < BLOCK) continue;
      iv = pending.subarray(0, BLOCK);
      decipher = cbcDecipher(content, iv).setAutoPadding(range.reachesEnd);
      blocks = pending.subarray(BLOCK);
    }
    const part = trim(decipher.update(blocks));
    if (part.length > 0) yield part;
  }
  if (decipher === undefined) throw decryptionFailed();
  try {
    const part = trim(decipher.final());
    if (part.length > 0) yield part;
  } catch (cause) {
    throw decryptionFailed(cause);
  }
}
