import { constants, type KeyObject, privateDecrypt, publicEncrypt } from "node:crypto";
import { bindDataKey, type ExpectedDataKey, unbindDataKey } from "@s3ec/materials";

const OAEP_SHA1 = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" };

/** RSA-OAEP, SHA-1 for both digests, over the bound data key (docs/formats.md 1.4). */
export function wrapOaep(key: KeyObject, dataKey: Uint8Array, binding: string): Uint8Array {
  const payload = bindDataKey(dataKey, binding);
  try {
    return publicEncrypt({ key, ...OAEP_SHA1 }, payload);
  } finally {
    payload.fill(0);
  }
}

/** The data key, or undefined for any reason: one answer whether OAEP, the length byte or the binding failed (S2, S6). */
export function unwrapOaep(key: KeyObject, wrapped: Uint8Array, expected: ExpectedDataKey): Uint8Array | undefined {
  if (wrapped.length !== modulusLength(key)) return undefined;
  let payload: Buffer;
  try {
    payload = privateDecrypt({ key, ...OAEP_SHA1 }, wrapped);
  } catch {
    return undefined;
  }
  try {
    return unbindDataKey(payload, expected);
  } finally {
    payload.fill(0);
  }
}

/** Bytes of the modulus: the length of everything that this key wraps (H14). */
export function modulusLength(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}
