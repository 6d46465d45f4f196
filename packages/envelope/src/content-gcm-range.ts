import { createDecipheriv } from "node:crypto";
import type { ContentKey } from "./content-key.js";
import { type AlignedRange, exactlyFetched, rangeCutter } from "./content-range.js";
import { S3EncryptionError } from "./errors.js";

const BLOCK = 16;
const FIRST_DATA_BLOCK = 2;

/** GCM content from a block boundary, as CTR with GCM's own counter (SP 800-38D 6.5); the tag is not looked at. */
export async function* decryptGcmRange(
  content: ContentKey,
  range: AlignedRange,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  // Past the limit CTR would carry into the IV where GCM's counter wraps around.
  if (range.blockOffset + range.skip + range.take > content.suite.maxContentLength) {
    throw new S3EncryptionError("invalid-argument", "The range ends past what one AES-GCM message can hold.");
  }
  const counter = Buffer.alloc(BLOCK);
  counter.set(content.iv);
  counter.writeUInt32BE(range.blockOffset / BLOCK + FIRST_DATA_BLOCK, content.iv.length);
  const bits = (content.key.symmetricKeySize ?? 32) * 8;
  const decipher = createDecipheriv(`aes-${bits}-ctr`, content.key, counter);
  const cut = rangeCutter(range.skip, range.take);
  for await (const chunk of exactlyFetched(range, ciphertext)) {
    const part = cut(decipher.update(chunk));
    if (part.length > 0) yield part;
  }
}
