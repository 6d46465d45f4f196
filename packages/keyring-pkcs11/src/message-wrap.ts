import { constants, publicEncrypt, randomBytes } from "node:crypto";
import {
  type DecryptionMaterials,
  type EncryptedDataKey,
  isSameWrapAlgorithm,
  type MessageKey,
  type StringMap,
  serializeEncryptionContext,
  stringMap,
} from "@s3ec/materials";
import type { TokenSession } from "./cryptoki.js";
import { privateKeyOf, type TokenKey } from "./token-keys.js";
import { aesGcmDecrypt, aesGcmEncrypt, GCM_TAG_LENGTH, rsaOaepDecrypt } from "./token-operations.js";
import { IV_LENGTH, isModulusLength } from "./wraps.js";

/** After an AES key's name: the tag's length in bits and the IV's in bytes, then the IV (docs/formats.md 8.3). */
const LENGTHS: Uint8Array = Uint8Array.of(0, 0, 0, GCM_TAG_LENGTH * 8, 0, 0, 0, IV_LENGTH);

/**
 * The wrap of the AWS Encryption SDK's raw keyrings: AES-GCM with the encryption context as AAD, or RSA-OAEP (SHA-1 for
 * both digests, which every token has) over the bare data key.
 */
export async function wrapForMessage(
  session: TokenSession,
  key: TokenKey,
  { provider, name }: MessageKey<unknown>,
  dataKey: Uint8Array,
  encryptionContext: StringMap,
): Promise<EncryptedDataKey> {
  const common = { wrapAlgorithm: provider, description: stringMap([]) };
  if (key.type === "rsa") {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const ciphertext = publicEncrypt({ key: key.publicKey, padding, oaepHash: "sha1" }, dataKey);
    return { ...common, ciphertext, providerInfo: name };
  }
  const iv = randomBytes(IV_LENGTH);
  const ciphertext = await aesGcmEncrypt(session, key.key, iv, serializeEncryptionContext(encryptionContext), dataKey);
  return { ...common, ciphertext, providerInfo: Buffer.concat([name, LENGTHS, iv]) };
}

/** Whether an encrypted data key names this key; of an AES key's information, its length tells where the name ends. */
export function isNamed(
  { provider, name }: MessageKey<unknown>,
  type: TokenKey["type"],
  { wrapAlgorithm, providerInfo }: EncryptedDataKey,
): boolean {
  const rest = type === "aes" ? LENGTHS.length + IV_LENGTH : 0;
  return (
    isSameWrapAlgorithm(provider, wrapAlgorithm) &&
    providerInfo?.length === name.length + rest &&
    Buffer.compare(providerInfo.subarray(0, name.length), name) === 0
  );
}

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
  const lengths = providerInfo.subarray(name.length, name.length + LENGTHS.length);
  // Lengths are public and checked before the key is used (S15).
  if (Buffer.compare(lengths, LENGTHS) !== 0) return undefined;
  if (!suite.dataKeyLengths.includes(ciphertext.length - GCM_TAG_LENGTH)) return undefined;
  const aad = serializeEncryptionContext(encryptionContext);
  return await aesGcmDecrypt(session, key.key, providerInfo.subarray(-IV_LENGTH), aad, ciphertext);
}
