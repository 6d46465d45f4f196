import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";
import type { ExpectedDataKey } from "@s3ec/materials";

/** Bytes. */
export const IV = 12;
export const TAG = 16;

/** `iv(12) ‖ AES-GCM(key, iv, aad = binding, data key) ‖ tag(16)` (docs/formats.md 1.4). */
export function wrapGcm(key: KeyObject, dataKey: Uint8Array, binding: string): Uint8Array {
  return sealGcm(key, dataKey, Buffer.from(binding));
}

/** The data key, or undefined for any reason. The IV may equal the content's: one writer makes it so (H24). */
export function unwrapGcm(key: KeyObject, wrapped: Uint8Array, expected: ExpectedDataKey): Uint8Array | undefined {
  // Lengths are public and checked before the key is used (S15).
  if (!expected.dataKeyLengths.includes(wrapped.length - IV - TAG)) return undefined;
  for (const binding of expected.bindings) {
    const dataKey = openGcm(key, wrapped, Buffer.from(binding));
    if (dataKey !== undefined) return dataKey;
  }
  return undefined;
}

/** `iv ‖ ciphertext ‖ tag` under a fresh IV. */
export function sealGcm(key: KeyObject, dataKey: Uint8Array, aad: Uint8Array): Buffer {
  const iv = randomBytes(IV);
  const cipher = createCipheriv(cipherName(key), key, iv, { authTagLength: TAG });
  cipher.setAAD(aad);
  return Buffer.concat([iv, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what `sealGcm` made, of a length that the caller has checked. */
export function openGcm(key: KeyObject, wrapped: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  const decipher = createDecipheriv(cipherName(key), key, wrapped.subarray(0, IV), { authTagLength: TAG });
  decipher.setAAD(aad);
  decipher.setAuthTag(wrapped.subarray(-TAG));
  const dataKey = decipher.update(wrapped.subarray(IV, -TAG));
  try {
    decipher.final();
    return dataKey;
  } catch {
    dataKey.fill(0);
    return undefined;
  }
}

function cipherName(key: KeyObject): "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" {
  switch (key.symmetricKeySize) {
    case 16:
      return "aes-128-gcm";
    case 24:
      return "aes-192-gcm";
    default:
      return "aes-256-gcm";
  }
}
