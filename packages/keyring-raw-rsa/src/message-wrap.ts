import { constants, type KeyObject, privateDecrypt, publicEncrypt } from "node:crypto";
import {
  type DecryptionMaterials,
  decryptionFailed,
  type EncryptedDataKey,
  importDataKey,
  type MessageKey,
  type MessageKeys,
  stringMap,
  withDataKey,
} from "@s3ec/materials";
import { modulusLength } from "./oaep-wrap.js";
import { publicKeyOnly } from "./rsa-keys.js";

/** Digest of OAEP and of its mask alike. */
export type OaepHash = "sha1" | "sha256" | "sha384" | "sha512";
export const OAEP_HASHES: readonly OaepHash[] = Object.freeze(["sha1", "sha256", "sha384", "sha512"]);

const PADDING = constants.RSA_PKCS1_OAEP_PADDING;

/** The raw RSA keyring's wrap of the AWS Encryption SDK: OAEP over the bare data key, bound to nothing. */
export function wrapForMessage(
  key: KeyObject,
  { provider, name }: MessageKey<unknown>,
  oaepHash: OaepHash,
  dataKey: Uint8Array,
): EncryptedDataKey {
  const ciphertext = publicEncrypt({ key, padding: PADDING, oaepHash }, dataKey);
  return { wrapAlgorithm: provider, ciphertext, description: stringMap([]), providerInfo: name };
}

/**
 * Opens the first wrap that one of these keys opens; null when none of the wraps names one of them. A key that is
 * undefined has a name, and only writes.
 */
export function unwrapFromMessage(
  keys: MessageKeys<KeyObject | undefined>,
  oaepHash: OaepHash,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): DecryptionMaterials | null {
  let tried = false;
  let withoutPrivateKey = false;
  for (const encryptedDataKey of encryptedDataKeys) {
    const named = keys.namedBy(encryptedDataKey);
    if (named === undefined) continue;
    if (named.key === undefined) {
      withoutPrivateKey = true;
      continue;
    }
    tried = true;
    const dataKey = open(named.key, encryptedDataKey.ciphertext, oaepHash, materials.suite.dataKeyLengths);
    if (dataKey !== undefined) return withDataKey(materials, importDataKey(dataKey));
  }
  // One error without a cause, whichever check failed (S16).
  if (tried) throw decryptionFailed();
  if (withoutPrivateKey) throw publicKeyOnly();
  return null;
}

function open(
  key: KeyObject,
  ciphertext: Uint8Array,
  oaepHash: OaepHash,
  dataKeyLengths: readonly number[],
): Uint8Array | undefined {
  if (ciphertext.length !== modulusLength(key)) return undefined;
  let dataKey: Buffer;
  try {
    dataKey = privateDecrypt({ key, padding: PADDING, oaepHash }, ciphertext);
  } catch {
    return undefined;
  }
  if (dataKeyLengths.includes(dataKey.length)) return dataKey;
  dataKey.fill(0);
  return undefined;
}
