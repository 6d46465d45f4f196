import { constants, type KeyObject, privateDecrypt, publicEncrypt, timingSafeEqual } from "node:crypto";

/** What an unwrap may return: a data key of one of these lengths, bound to one of these texts where the wrap binds. */
export interface Expected {
  readonly bindings: readonly string[];
  readonly dataKeyLengths: readonly number[];
}

const OAEP_SHA1 = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" };

/** RSA-OAEP, SHA-1 for both digests, over `length(1) ‖ data key ‖ binding` (docs/formats.md 1.4). */
export function wrapOaep(key: KeyObject, dataKey: Uint8Array, binding: string): Uint8Array {
  const payload = Buffer.concat([Uint8Array.of(dataKey.length), dataKey, Buffer.from(binding)]);
  try {
    return publicEncrypt({ key, ...OAEP_SHA1 }, payload);
  } finally {
    payload.fill(0);
  }
}

/** The data key, or undefined for any reason: one answer whether OAEP, the length byte or the binding failed (S2, S6). */
export function unwrapOaep(key: KeyObject, wrapped: Uint8Array, expected: Expected): Uint8Array | undefined {
  if (wrapped.length !== modulusLength(key)) return undefined;
  let payload: Buffer;
  try {
    payload = privateDecrypt({ key, ...OAEP_SHA1 }, wrapped);
  } catch {
    return undefined;
  }
  try {
    for (const binding of expected.bindings) {
      const bound = Buffer.from(binding);
      const length = payload.length - 1 - bound.length;
      if (!expected.dataKeyLengths.includes(length)) continue;
      // The whole rest is compared: a prefix or trailing bytes are another algorithm.
      const head = timingSafeEqual(payload.subarray(0, 1), Uint8Array.of(length));
      const tail = timingSafeEqual(payload.subarray(1 + length), bound);
      if (head && tail) return Uint8Array.from(payload.subarray(1, 1 + length));
    }
    return undefined;
  } finally {
    payload.fill(0);
  }
}

/** Bytes of the modulus: the length of everything that this key wraps (H14). */
export function modulusLength(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}
