import { type KeyObject, timingSafeEqual } from "node:crypto";

/** What one AES-GCM message is made under (NIST SP 800-38D 7.1); key and IV serve this one message only (G11). */
export interface GcmParameters {
  /** Secret, of 16, 24 or 32 bytes. */
  readonly key: KeyObject;
  /** 12 bytes. */
  readonly iv: Uint8Array;
  /** Authenticated in front of the ciphertext. */
  readonly aad: Uint8Array;
}

/** Bytes of a block, and of a tag. */
export const BLOCK = 16;
/** Bytes of plaintext that one message may hold (SP 800-38D 5.2.1.1). */
export const MAX_GCM_LENGTH: number = 2 ** 36 - 32;

/** Bits of the key, as cipher names have them. */
export function keyBits({ key }: GcmParameters): 128 | 192 | 256 {
  return key.symmetricKeySize === 16 ? 128 : key.symmetricKeySize === 24 ? 192 : 256;
}

/** The block of two lengths, given in bytes, that a tag covers last. */
export function lengthBlock(aadLength: number, textLength: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.writeBigUInt64BE(BigInt(aadLength) * 8n, 0);
  block.writeBigUInt64BE(BigInt(textLength) * 8n, 8);
  return block;
}

/** The sum of two blocks in the field of GHASH. */
export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  const sum = Buffer.alloc(BLOCK);
  for (let i = 0; i < BLOCK; i++) {
    sum[i] = (a[i] ?? 0) ^ (b[i] ?? 0);
  }
  return sum;
}

export function isSameBlock(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === BLOCK && b.length === BLOCK && timingSafeEqual(a, b);
}

/** Blocks that this many bytes fill, the last one padded. */
export function blocksOf(length: number): number {
  return Math.ceil(length / BLOCK);
}
