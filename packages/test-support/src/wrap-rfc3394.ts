import { createCipheriv } from "node:crypto";

const BLOCK = 8;

/**
 * Wraps a key as RFC 3394 does (2.2.1), of AES alone, since not every runtime has key wrap: `id-aes256-wrap` and its like.
 *
 * @param key a multiple of 8 bytes
 */
export function wrapRfc3394(wrappingKey: Uint8Array, key: Uint8Array): Buffer {
  const cipher = createCipheriv(`aes-${wrappingKey.length * 8}-ecb`, wrappingKey, null).setAutoPadding(false);
  const wrapped = Buffer.concat([Buffer.alloc(BLOCK, 0xa6), key]);
  const blocks = key.length / BLOCK;
  for (let step = 1; step <= 6 * blocks; step++) {
    const place = wrapped.subarray((((step - 1) % blocks) + 1) * BLOCK).subarray(0, BLOCK);
    const enciphered = cipher.update(Buffer.concat([wrapped.subarray(0, BLOCK), place]));
    enciphered.copy(wrapped, 0, 0, BLOCK);
    enciphered.copy(place, 0, BLOCK);
    wrapped.writeUInt32BE((wrapped.readUInt32BE(4) ^ step) >>> 0, 4);
  }
  return wrapped;
}
