import { createHash, createHmac, type KeyObject } from "node:crypto";
import type { ExpectedDataKey } from "@s3ec/materials";
import { allZero, copyIf, equal, firstLength, noneZero, select } from "./constant-time.js";
import { LONGEST_DATA_KEY, privateOperation } from "./legacy-block.js";
import { modulusLength } from "./rsa-oaep.js";

/**
 * RSAES-PKCS1-v1_5 over the bare data key, with implicit rejection (S6): where the padding is bad or no data key has that
 * length, the answer is a substitute key, so that the read fails later and exactly as with any wrong key. Undefined only
 * for a wrong total length, which everyone sees (H14).
 */
export function unwrapPkcs1(key: KeyObject, wrapped: Uint8Array, expected: ExpectedDataKey): Uint8Array | undefined {
  return unwrap(key, wrapped, (block) => pkcs1Length(block, expected.dataKeyLengths));
}

/** The same, and textbook RSA: nothing but zeros before the data key. Anyone can make such a wrap or alter it. */
export function unwrapPkcs1OrUnpadded(
  key: KeyObject,
  wrapped: Uint8Array,
  expected: ExpectedDataKey,
): Uint8Array | undefined {
  return unwrap(key, wrapped, (block) => {
    const padded = pkcs1Length(block, expected.dataKeyLengths);
    const bare = firstLength(expected.dataKeyLengths, (bytes) => allZero(block, 0, block.length - bytes));
    return select(equal(padded, 0), bare, padded);
  });
}

function unwrap(key: KeyObject, wrapped: Uint8Array, dataKeyLength: (block: Uint8Array) => number) {
  const modulus = modulusLength(key);
  if (wrapped.length !== modulus) return undefined;
  const dataKey = substituteKey(key, wrapped);
  // 0xff begins no valid block of any kind.
  const block = privateOperation(key, wrapped) ?? Buffer.alloc(modulus, 0xff);
  const found = dataKeyLength(block);
  const valid = 1 ^ equal(found, 0);
  copyIf(valid, block.subarray(-LONGEST_DATA_KEY), dataKey);
  block.fill(0);
  const result = Uint8Array.from(dataKey.subarray(LONGEST_DATA_KEY - select(valid, found, LONGEST_DATA_KEY)));
  dataKey.fill(0);
  return result;
}

/** `00 02 ‖ eight or more non-zero bytes ‖ 00 ‖ data key` (RFC 8017 7.2.2): the data key's length, or 0. */
function pkcs1Length(block: Uint8Array, lengths: readonly number[]): number {
  const head = equal(block[0] ?? 0, 0) & equal(block[1] ?? 0, 2);
  return firstLength(lengths, (bytes) => {
    const separator = block.length - bytes - 1;
    return head & noneZero(block, 2, separator) & equal(block[separator] ?? 0, 0);
  });
}

/**
 * Depends on private key and wrapped key alone: a random one would be told apart from a real one by asking twice, here or
 * in another process (draft-irtf-cfrg-rsa-guidance).
 */
function substituteKey(key: KeyObject, wrapped: Uint8Array): Buffer {
  const encoded = key.export({ type: "pkcs8", format: "der" });
  const secret = createHash("sha256").update(encoded).digest();
  encoded.fill(0);
  const substitute = createHmac("sha256", secret).update("s3ec implicit rejection").update(wrapped).digest();
  secret.fill(0);
  return substitute;
}
