import { createDecipheriv } from "node:crypto";
import type { ContentKey } from "./content-cipher.js";
import type { AlignedRange } from "./content-range.js";
import { decryptionFailed, S3EncryptionError } from "./errors.js";

const BLOCK = 16;
const FIRST_DATA_BLOCK = 2;

/** GCM content from a block boundary, as CTR with GCM's own counter (SP 800-38D 6.5); the tag is not looked at. */
export async function* decryptGcmRange(
  content: ContentKey,
  range: AlignedRange,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const block = range.blockOffset / BLOCK + FIRST_DATA_BLOCK;
  if (!Number.isInteger(block) || block > 0xffff_ffff) {
    throw new S3EncryptionError("invalid-argument", "The range starts past what one AES-GCM message can hold.");
  }
  const counter = Buffer.alloc(BLOCK);
  counter.set(content.iv);
  counter.writeUInt32BE(block, content.iv.length);
  const bits = (content.key.symmetricKeySize ?? 32) * 8;
  const decipher = createDecipheriv(`aes-${bits}-ctr`, content.key, counter);
  let skip = range.skip;
  let take = range.take;
  for await (const chunk of ciphertext) {
    const plaintext = decipher.update(chunk);
    const from = Math.min(skip, plaintext.length);
    skip -= from;
    const part = plaintext.subarray(from, from + take);
    take -= part.length;
    if (part.length > 0) yield part;
  }
  // A short answer is an error, never a short success.
  if (take > 0) throw decryptionFailed();
}
