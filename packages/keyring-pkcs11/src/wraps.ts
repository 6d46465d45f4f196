import { constants, type KeyObject, publicEncrypt, randomBytes } from "node:crypto";
import { bindDataKey, type ExpectedDataKey, unbindDataKey } from "@s3ec/materials";
import type { TokenSession } from "./cryptoki.js";
import { type AesTokenKey, privateKeyOf, type RsaTokenKey, type TokenKey } from "./token-keys.js";
import { aesGcmDecrypt, aesGcmEncrypt, GCM_TAG_LENGTH, rsaOaepDecrypt } from "./token-operations.js";

export const IV_LENGTH = 12;

/** The official wrap of the key's kind, bound to the content algorithm. */
export async function wrap(
  session: TokenSession,
  key: TokenKey,
  dataKey: Uint8Array,
  binding: string,
): Promise<Uint8Array> {
  return key.type === "aes" ? await wrapGcm(session, key, dataKey, binding) : wrapOaep(key.publicKey, dataKey, binding);
}

/**
 * The data key, or undefined for any reason that lies in the wrapped bytes: one answer for all of them (S2, S6). Throws
 * `no-matching-key` where only the public key is at hand.
 */
export async function unwrap(
  session: TokenSession,
  key: TokenKey,
  wrapped: Uint8Array,
  expected: ExpectedDataKey,
): Promise<Uint8Array | undefined> {
  return key.type === "aes"
    ? await unwrapGcm(session, key, wrapped, expected)
    : await unwrapOaep(session, key, wrapped, expected);
}

/** `iv(12) ‖ AES-GCM(key, iv, aad = binding, data key) ‖ tag(16)` (docs/formats.md 1.4). */
async function wrapGcm(
  session: TokenSession,
  { key }: AesTokenKey,
  dataKey: Uint8Array,
  binding: string,
): Promise<Uint8Array> {
  const iv = randomBytes(IV_LENGTH);
  return Buffer.concat([iv, await aesGcmEncrypt(session, key, iv, Buffer.from(binding), dataKey)]);
}

async function unwrapGcm(
  session: TokenSession,
  { key }: AesTokenKey,
  wrapped: Uint8Array,
  { bindings, dataKeyLengths }: ExpectedDataKey,
): Promise<Uint8Array | undefined> {
  // Lengths are public and checked before the key is used (S15).
  if (!dataKeyLengths.includes(wrapped.length - IV_LENGTH - GCM_TAG_LENGTH)) return undefined;
  const [iv, sealed] = [wrapped.subarray(0, IV_LENGTH), wrapped.subarray(IV_LENGTH)];
  for (const binding of bindings) {
    const dataKey = await aesGcmDecrypt(session, key, iv, Buffer.from(binding), sealed);
    if (dataKey !== undefined) return dataKey;
  }
  return undefined;
}

/** RSA-OAEP, SHA-1 for both digests, over the bound data key (docs/formats.md 1.4). Takes no token: the key is public. */
export function wrapOaep(publicKey: KeyObject, dataKey: Uint8Array, binding: string): Uint8Array {
  const payload = bindDataKey(dataKey, binding);
  try {
    return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" }, payload);
  } finally {
    payload.fill(0);
  }
}

async function unwrapOaep(
  session: TokenSession,
  key: RsaTokenKey,
  wrapped: Uint8Array,
  expected: ExpectedDataKey,
): Promise<Uint8Array | undefined> {
  const privateKey = privateKeyOf(key);
  if (!isModulusLength(key, wrapped)) return undefined;
  const payload = await rsaOaepDecrypt(session, privateKey, wrapped);
  if (payload === undefined) return undefined;
  try {
    return unbindDataKey(payload, expected);
  } finally {
    payload.fill(0);
  }
}

/** Whether these bytes have the length of everything that the key wraps (H14, S15). */
export function isModulusLength({ publicKey }: RsaTokenKey, wrapped: Uint8Array): boolean {
  return wrapped.length === Math.ceil((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}
