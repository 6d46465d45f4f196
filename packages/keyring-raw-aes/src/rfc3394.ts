import { createDecipheriv, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";

const IV = Buffer.alloc(8, 0xa6);
const HALF = 8;

let answer: boolean | undefined;

/**
 * Whether this runtime's `node:crypto` has OpenSSL's key wrap and unwraps with it as RFC 3394 4.6 says: asked of it once a
 * process. BoringSSL, which Bun and Workers are built on, and Deno have no such cipher.
 */
function hasWrapCipher(): boolean {
  answer ??= unwrapsKnownAnswer();
  return answer;
}

function unwrapsKnownAnswer(): boolean {
  const key = createSecretKey(Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex"));
  const wrapped = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21";
  const data = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f";
  return Buffer.from(unwrappedByCipher(key, Buffer.from(wrapped, "hex")) ?? []).toString("hex") === data;
}

/** Key unwrap with the default IV (RFC 3394 2.2.2): the key data, or undefined where the integrity check fails. */
export function unwrapRfc3394(key: KeyObject, wrapped: Uint8Array): Uint8Array | undefined {
  return hasWrapCipher() ? unwrappedByCipher(key, wrapped) : unwrappedByBlocks(key, wrapped);
}

function unwrappedByCipher(key: KeyObject, wrapped: Uint8Array): Uint8Array | undefined {
  try {
    // Checked by the update, which throws; there is nothing left for an end.
    return createDecipheriv(`id-aes${bits(key)}-wrap`, key, IV).update(wrapped);
  } catch {
    return undefined;
  }
}

/** The same of AES alone, in the index form that RFC 3394 2.2.2 gives. */
function unwrappedByBlocks(key: KeyObject, wrapped: Uint8Array): Uint8Array | undefined {
  const count = wrapped.length / HALF - 1;
  // A and R[i] of the RFC, side by side.
  const block = Buffer.alloc(2 * HALF);
  const data = Buffer.from(wrapped.subarray(HALF));
  block.set(wrapped.subarray(0, HALF));
  for (let round = 5; round >= 0; round--) {
    for (let index = count; index >= 1; index--) {
      const half = data.subarray((index - 1) * HALF, index * HALF);
      // t, of which no data key here needs more than its lowest byte.
      block[HALF - 1] = (block[HALF - 1] ?? 0) ^ (count * round + index);
      block.set(half, HALF);
      const decrypted = decryptedBlock(key, block);
      block.set(decrypted);
      half.set(decrypted.subarray(HALF));
      decrypted.fill(0);
    }
  }
  const isIntact = timingSafeEqual(block.subarray(0, HALF), IV);
  block.fill(0);
  if (isIntact) return data;
  data.fill(0);
  return undefined;
}

/** AES in the inverse direction, and nothing else: one block of ECB without padding. */
function decryptedBlock(key: KeyObject, block: Uint8Array): Buffer {
  const decipher = createDecipheriv(`aes-${bits(key)}-ecb`, key, null).setAutoPadding(false);
  return Buffer.concat([decipher.update(block), decipher.final()]);
}

function bits(key: KeyObject): number {
  return (key.symmetricKeySize ?? 32) * 8;
}
