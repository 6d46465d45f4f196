import type { KeyObject } from "node:crypto";
import {
  AES_KEY_INFO_LENGTH,
  aesKeyInfo,
  type DecryptionMaterials,
  decryptionFailed,
  type EncryptedDataKey,
  importDataKey,
  ivOfAesKeyInfo,
  type MessageKey,
  type MessageKeys,
  type StringMap,
  serializeEncryptionContext,
  stringMap,
  withDataKey,
} from "@s3ec/materials";
import { IV, openGcm, sealGcm, TAG } from "./gcm-wrap.js";

/**
 * The raw AES keyring's wrap of the AWS Encryption SDK: AES-GCM over the data key, with the whole encryption context as
 * AAD. The IV is stored behind the key's name.
 */
export function wrapForMessage(
  { key, provider, name }: MessageKey<KeyObject>,
  dataKey: Uint8Array,
  encryptionContext: StringMap,
): EncryptedDataKey {
  const sealed = sealGcm(key, dataKey, serializeEncryptionContext(encryptionContext));
  return {
    wrapAlgorithm: provider,
    ciphertext: sealed.subarray(IV),
    description: stringMap([]),
    providerInfo: aesKeyInfo(name, sealed.subarray(0, IV)),
  };
}

/** Opens the first wrap that one of these keys opens; null when none of the wraps names one of them. */
export function unwrapFromMessage(
  keys: MessageKeys<KeyObject>,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): DecryptionMaterials | null {
  let mine = false;
  for (const encryptedDataKey of encryptedDataKeys) {
    const named = keys.namedBy(encryptedDataKey, AES_KEY_INFO_LENGTH);
    if (named === undefined) continue;
    mine = true;
    const dataKey = open(named, materials, encryptedDataKey);
    if (dataKey !== undefined) return withDataKey(materials, importDataKey(dataKey));
  }
  // One error without a cause, whichever check failed (S16).
  if (mine) throw decryptionFailed();
  return null;
}

function open(
  { key, name }: MessageKey<KeyObject>,
  { suite, encryptionContext }: DecryptionMaterials,
  { ciphertext, providerInfo = new Uint8Array(0) }: EncryptedDataKey,
): Uint8Array | undefined {
  const iv = ivOfAesKeyInfo(name.length, providerInfo);
  // Lengths are public and checked before the key is used (S15).
  if (iv === undefined || !suite.dataKeyLengths.includes(ciphertext.length - TAG)) return undefined;
  const sealed = Buffer.concat([iv, ciphertext]);
  const aad = serializeEncryptionContext(encryptionContext);
  const dataKey = openGcm(key, sealed, aad);
  if (dataKey !== undefined) return dataKey;
  const other = serializeInLocaleOrder(encryptionContext);
  return Buffer.compare(aad, other) === 0 ? undefined : openGcm(key, sealed, other);
}

/**
 * The same entries in the order that the AWS Encryption SDK for JavaScript authenticates them in, unless it is told
 * `utf8Sorting`: that of `localeCompare`, which puts "b" before "C" (its issue 428). Its wraps would not open otherwise.
 */
function serializeInLocaleOrder(context: StringMap): Uint8Array {
  const entries = Object.entries(context).sort(([a], [b]) => a.localeCompare(b));
  const [count, serialized] = [Buffer.alloc(2), entries.map((entry) => serializeEncryptionContext(stringMap([entry])))];
  count.writeUInt16BE(entries.length);
  return entries.length === 0
    ? new Uint8Array(0)
    : Buffer.concat([count, ...serialized.map((each) => each.subarray(2))]);
}
