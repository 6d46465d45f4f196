import { constants, type KeyObject, publicEncrypt, randomBytes } from "node:crypto";
import {
  AES_KEY_INFO_LENGTH,
  aesKeyInfo,
  type DecryptionMaterials,
  type EncryptedDataKey,
  ivOfAesKeyInfo,
  type MessageKey,
  type StringMap,
  serializeEncryptionContext,
  stringMap,
} from "@s3ec/materials";
import type { TokenSession } from "./cryptoki.js";
import { type AesTokenKey, privateKeyOf, type TokenKey } from "./token-keys.js";
import { aesGcmDecrypt, aesGcmEncrypt, GCM_TAG_LENGTH, rsaOaepDecrypt } from "./token-operations.js";
import { IV_LENGTH, isModulusLength } from "./wraps.js";

/** The wrap of the AWS Encryption SDK's raw AES keyrings: AES-GCM with the encryption context as AAD. */
export async function wrapAesForMessage(
  session: TokenSession,
  key: AesTokenKey,
  { provider, name }: MessageKey<unknown>,
  dataKey: Uint8Array,
  encryptionContext: StringMap,
): Promise<EncryptedDataKey> {
  const iv = randomBytes(IV_LENGTH);
  const ciphertext = await aesGcmEncrypt(session, key.key, iv, serializeEncryptionContext(encryptionContext), dataKey);
  const providerInfo = aesKeyInfo(name, iv);
  return { wrapAlgorithm: provider, ciphertext, description: stringMap([]), providerInfo };
}

/**
 * The wrap of its raw RSA keyrings: RSA-OAEP over the bare data key, with SHA-1 for both digests, which every token has.
 * Takes no token: the key is public.
 */
export function wrapRsaForMessage(
  key: KeyObject,
  { provider, name }: MessageKey<unknown>,
  dataKey: Uint8Array,
): EncryptedDataKey {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const ciphertext = publicEncrypt({ key, padding, oaepHash: "sha1" }, dataKey);
  return { wrapAlgorithm: provider, ciphertext, description: stringMap([]), providerInfo: name };
}

/** Bytes behind the name in what a message says of a data key that such a key wrapped. */
export const INFO_BEHIND_NAME: Readonly<Record<TokenKey["type"], number>> = { aes: AES_KEY_INFO_LENGTH, rsa: 0 };

/** The data key, or undefined for any reason that lies in what the message holds. */
export async function unwrapFromMessage(
  session: TokenSession,
  key: TokenKey,
  { name }: MessageKey<unknown>,
  { suite, encryptionContext }: DecryptionMaterials,
  { ciphertext, providerInfo = new Uint8Array(0) }: EncryptedDataKey,
): Promise<Uint8Array | undefined> {
  if (key.type === "rsa") {
    const privateKey = privateKeyOf(key);
    if (!isModulusLength(key, ciphertext)) return undefined;
    const dataKey = await rsaOaepDecrypt(session, privateKey, ciphertext);
    if (dataKey === undefined || suite.dataKeyLengths.includes(dataKey.length)) return dataKey;
    dataKey.fill(0);
    return undefined;
  }
  const iv = ivOfAesKeyInfo(name.length, providerInfo);
  // Lengths are public and checked before the key is used (S15).
  if (iv === undefined || !suite.dataKeyLengths.includes(ciphertext.length - GCM_TAG_LENGTH)) return undefined;
  const aad = serializeEncryptionContext(encryptionContext);
  return await aesGcmDecrypt(session, key.key, iv, aad, ciphertext);
}
