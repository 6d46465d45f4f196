import type { KeyObject } from "node:crypto";
import { AES_ECB, AES_GCM, AES_WRAP } from "@s3ec/envelope";
import {
  assertDistinctDescriptions,
  createDataKey,
  type DecryptionMaterials,
  type DescribedKey,
  decryptionFailed,
  descriptionToStore,
  type EncryptedDataKey,
  type EncryptionMaterials,
  importDataKey,
  isSameWrapAlgorithm,
  type Keyring,
  keyDescribedBy,
  lendDataKey,
  materialDescription,
  type StringMap,
  type WrapAlgorithm,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";
import { unwrapGcm, wrapGcm } from "./gcm-wrap.js";
import { unwrapEcb, unwrapRfc3394 } from "./legacy-wraps.js";
import { type AesWrappingKey, aesWrappingKey } from "./wrapping-key.js";

/** A former wrapping key, used for reading the objects that carry exactly its description. */
export interface AesDecryptionKey {
  readonly wrappingKey: AesWrappingKey;
  readonly materialDescription: StringMap;
}

export interface RawAesKeyringOptions {
  /** 16, 24 or 32 bytes; a new key should have 32. */
  readonly wrappingKey: AesWrappingKey;
  /** Stored with every object, in the clear and unauthenticated; selects keys on reading. Default: none. */
  readonly materialDescription?: StringMap;
  /** Keys that only read, each selected by its description; any other description means `wrappingKey`. */
  readonly decryptionKeys?: readonly AesDecryptionKey[];
  /**
   * DANGEROUS, default false. Also opens CBC objects whose wrap is bound to GCM, which the Java client makes when it
   * re-encrypts the instruction file of a CBC object (H1). It gives up the check that stops CVE-2020-8912 (S2): whoever
   * can write to the bucket may relabel your GCM objects as CBC. Turn it on for one migration, in a client of its own.
   */
  readonly enableCbcRewrapBoundToGcm?: boolean;
}

const UNWRAPS = [
  { algorithm: AES_GCM, unwrap: unwrapGcm },
  { algorithm: AES_WRAP, unwrap: unwrapRfc3394 },
  { algorithm: AES_ECB, unwrap: unwrapEcb },
] as const;

/**
 * Wraps data keys under an AES key that you hold. Writes AES/GCM; reads AES/GCM, and AESWrap and AES (ECB) where the
 * client allows legacy wraps. Throws `invalid-argument` or `invalid-configuration` at construction.
 */
export class RawAesKeyring implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[] = Object.freeze(UNWRAPS.map((entry) => entry.algorithm));
  readonly #key: KeyObject;
  readonly #description: StringMap;
  readonly #decryptionKeys: readonly DescribedKey<KeyObject>[];
  readonly #acceptGcmBindingForCbc: boolean;

  constructor(options: RawAesKeyringOptions) {
    this.#key = aesWrappingKey(options.wrappingKey);
    this.#description = materialDescription(options.materialDescription);
    this.#decryptionKeys = (options.decryptionKeys ?? []).map((entry) => ({
      key: aesWrappingKey(entry.wrappingKey),
      description: materialDescription(entry.materialDescription),
    }));
    assertDistinctDescriptions(this.#description, this.#decryptionKeys);
    this.#acceptGcmBindingForCbc = options.enableCbcRewrapBoundToGcm === true;
  }

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    const description = descriptionToStore(this.#description, materials.materialDescription, this.#decryptionKeys);
    const dataKey = materials.dataKey ?? createDataKey(materials.suite);
    const ciphertext = await lendDataKey(dataKey, (bytes) => wrapGcm(this.#key, bytes, materials.algorithmBinding));
    const encryptedDataKey = { wrapAlgorithm: AES_GCM, ciphertext, description };
    return withEncryptedDataKey(withDataKey(materials, dataKey), encryptedDataKey);
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    const { suite, algorithmBinding } = materials;
    const rewrapped = this.#acceptGcmBindingForCbc && suite.cipher === "cbc";
    const bindings = rewrapped ? [algorithmBinding, "AES/GCM/NoPadding"] : [algorithmBinding];
    let mine = false;
    for (const { wrapAlgorithm, ciphertext, description } of encryptedDataKeys) {
      const entry = UNWRAPS.find(({ algorithm }) => isSameWrapAlgorithm(algorithm, wrapAlgorithm));
      if (entry === undefined) continue;
      mine = true;
      const key = keyDescribedBy(description, this.#decryptionKeys) ?? this.#key;
      const dataKey = entry.unwrap(key, ciphertext, { bindings, dataKeyLengths: suite.dataKeyLengths });
      if (dataKey !== undefined) return withDataKey(materials, importDataKey(dataKey));
    }
    // One error without a cause, whichever check failed (S16).
    if (mine) throw decryptionFailed();
    return null;
  }
}
