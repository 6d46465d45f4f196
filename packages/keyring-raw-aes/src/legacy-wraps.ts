import { createDecipheriv, type KeyObject, timingSafeEqual } from "node:crypto";
import { AES_ECB, AES_WRAP } from "@s3ec/envelope";
import type { ExpectedDataKey, RawWrap } from "@s3ec/materials";
import { unwrapRfc3394 } from "./rfc3394.js";

const BLOCK = 16;
/** Bytes that RFC 3394 adds. */
const RFC3394_LENGTH = 8;

/** RFC 3394 key wrap with the default IV. Bound to nothing (S2); the data key, or undefined for any reason. */
function unwrapKeyWrap(key: KeyObject, wrapped: Uint8Array, expected: ExpectedDataKey): Uint8Array | undefined {
  if (!expected.dataKeyLengths.includes(wrapped.length - RFC3394_LENGTH)) return undefined;
  return unwrapRfc3394(key, wrapped);
}

/**
 * AES-ECB with PKCS#7 padding, neither bound nor authenticated. Only the paddings that belong to a data key's length
 * count, each compared whole and in constant time, so that nobody learns bytes of a block from a padding error.
 */
function unwrapEcb(key: KeyObject, wrapped: Uint8Array, expected: ExpectedDataKey): Uint8Array | undefined {
  const lengths = expected.dataKeyLengths.filter((length) => wrapped.length - length === paddingOf(length));
  if (lengths.length === 0) return undefined;
  const decipher = createDecipheriv(`aes-${bits(key)}-ecb`, key, null).setAutoPadding(false);
  const padded = decipher.update(wrapped);
  decipher.final();
  const length = lengths.find((end) =>
    timingSafeEqual(padded.subarray(end), Buffer.alloc(paddingOf(end), paddingOf(end))),
  );
  try {
    return length === undefined ? undefined : Uint8Array.from(padded.subarray(0, length));
  } finally {
    padded.fill(0);
  }
}

function paddingOf(length: number): number {
  return BLOCK - (length % BLOCK);
}

function bits(key: KeyObject): number {
  return (key.symmetricKeySize ?? 32) * 8;
}

/** What clients wrote before AES/GCM. Read only. */
export const LEGACY_WRAPS: readonly RawWrap<KeyObject>[] = [
  { algorithm: AES_WRAP, unwrap: unwrapKeyWrap },
  { algorithm: AES_ECB, unwrap: unwrapEcb },
];
