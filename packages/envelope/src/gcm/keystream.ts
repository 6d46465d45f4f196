import { type Cipher, createCipheriv } from "node:crypto";
import { BLOCK, type GcmParameters, keyBits, MAX_GCM_LENGTH } from "./gcm-parameters.js";

const NOTHING = Buffer.alloc(BLOCK);

/**
 * Encrypts, which is to decrypt, the bytes of a message from `offset` on, `length` of them: AES-CTR from the block
 * counter that GCM has there (SP 800-38D 6.5). It proves nothing, and using a position for two plaintexts gives away both
 * (S18): it is reached through what verifies or keeps a ledger only.
 *
 * @throws RangeError unless the interval is one of whole bytes within what a message may hold (G10): past it, the counter
 * would start over.
 */
export function cipherAt(parameters: GcmParameters, offset: number, length: number): Cipher {
  const isInterval = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!isInterval || offset + length > MAX_GCM_LENGTH || parameters.iv.length !== 12) {
    throw new RangeError("A position of AES-GCM's keystream must lie within one message.");
  }
  const skipped = offset % BLOCK;
  const counter = Buffer.alloc(BLOCK);
  counter.set(parameters.iv);
  // J0 counts 1 and masks the tag; the first block of text has 2.
  counter.writeUInt32BE(2 + (offset - skipped) / BLOCK, 12);
  const cipher = createCipheriv(`aes-${keyBits(parameters)}-ctr`, parameters.key, counter);
  if (skipped > 0) cipher.update(NOTHING.subarray(0, skipped));
  return cipher;
}
