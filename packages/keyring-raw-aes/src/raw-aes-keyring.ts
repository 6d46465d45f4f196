import type { KeyObject } from "node:crypto";
import { AES_ECB, AES_GCM, AES_WRAP } from "@s3ec/envelope";
import {
  assertKnownOptions,
  type DecryptionMaterials,
  type DescribedKey,
  decryptionFailed,
  describedKeys,
  descriptionToStore,
  type EncryptedDataKey,
  type EncryptionMaterials,
  expectedDataKey,
  importDataKey,
  isSameWrapAlgorithm,
  type Keyring,
  keyDescribedBy,
  type MessageKeyName,
  MessageKeys,
  materialDescription,
  type OptionNames,
  type StringMap,
  type WrapAlgorithm,
  withDataKey,
  withWrappedDataKey,
} from "@s3ec/materials";
import { unwrapGcm, wrapGcm } from "./gcm-wrap.js";
import { unwrapEcb, unwrapRfc3394 } from "./legacy-wraps.js";
import { unwrapFromMessage, wrapForMessage } from "./message-wrap.js";
import { type AesWrappingKey, aesWrappingKey } from "./wrapping-key.js";

/** A former wrapping key, used for reading the objects that carry exactly its description, or its name in messages. */
export interface AesDecryptionKey {
  readonly wrappingKey: AesWrappingKey;
  /** Without it, the key reads messages only. */
  readonly materialDescription?: StringMap;
  /** Without it, the key reads no messages. */
  readonly messageKey?: MessageKeyName;
}

export interface RawAesKeyringOptions {
  /** 16, 24 or 32 bytes; a new key should have 32. */
  readonly wrappingKey: AesWrappingKey;
  /** Stored with every object, in the clear and unauthenticated; selects keys on reading. Default: none. */
  readonly materialDescription?: StringMap;
  /** What messages of the AWS Encryption SDK call `wrappingKey`. Without it the keyring neither writes nor reads any. */
  readonly messageKey?: MessageKeyName;
  /** Keys that only read, each selected by its description; any other description means `wrappingKey`. */
  readonly decryptionKeys?: readonly AesDecryptionKey[];
  /**
   * DANGEROUS, default false. Also opens CBC objects whose wrap is bound to GCM, which the Java client makes when it
   * re-encrypts the instruction file of a CBC object (H1). It gives up the check that stops CVE-2020-8912 (S2): whoever
   * can write to the bucket may relabel your GCM objects as CBC. Turn it on for one migration, in a client of its own.
   */
  readonly enableCbcRewrapBoundToGcm?: boolean;
}

const OPTIONS: OptionNames<RawAesKeyringOptions> = {
  wrappingKey: true,
  materialDescription: true,
  messageKey: true,
  decryptionKeys: true,
  enableCbcRewrapBoundToGcm: true,
};

const DECRYPTION_KEY: OptionNames<AesDecryptionKey> = {
  wrappingKey: true,
  materialDescription: true,
  messageKey: true,
};

const UNWRAPS = [
  { algorithm: AES_GCM, unwrap: unwrapGcm },
  { algorithm: AES_WRAP, unwrap: unwrapRfc3394 },
  { algorithm: AES_ECB, unwrap: unwrapEcb },
] as const;

/**
 * Wraps data keys under an AES key that you hold. Writes AES/GCM; reads AES/GCM, and AESWrap and AES (ECB) where the
 * client allows legacy wraps. With `messageKey`, messages have the wrap of the AWS Encryption SDK's raw AES keyring, which
 * binds the encryption context. Throws `invalid-argument` or `invalid-configuration` at construction.
 */
export class RawAesKeyring implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  readonly #key: KeyObject;
  readonly #description: StringMap;
  readonly #decryptionKeys: readonly DescribedKey<KeyObject>[];
  readonly #messageKeys: MessageKeys<KeyObject>;
  readonly #acceptGcmBindingForCbc: boolean;

  constructor(options: RawAesKeyringOptions) {
    assertKnownOptions(options, OPTIONS, "RawAesKeyring");
    for (const entry of options.decryptionKeys ?? []) assertKnownOptions(entry, DECRYPTION_KEY, "decryptionKeys");
    this.#key = aesWrappingKey(options.wrappingKey);
    this.#description = materialDescription(options.materialDescription);
    const former = (options.decryptionKeys ?? []).map((entry) => ({
      ...entry,
      key: aesWrappingKey(entry.wrappingKey),
    }));
    this.#decryptionKeys = describedKeys(this.#description, former);
    this.#messageKeys = new MessageKeys({ key: this.#key, messageKey: options.messageKey }, former);
    this.wrapAlgorithms = Object.freeze([...UNWRAPS.map((entry) => entry.algorithm), ...this.#messageKeys.providers]);
    this.#acceptGcmBindingForCbc = options.enableCbcRewrapBoundToGcm === true;
  }

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    if (materials.suite.format === "message") {
      const { own } = this.#messageKeys;
      return await withWrappedDataKey(materials, (bytes) => wrapForMessage(own, bytes, materials.encryptionContext));
    }
    const description = descriptionToStore(this.#description, materials.materialDescription, this.#decryptionKeys);
    return await withWrappedDataKey(materials, (bytes) => {
      const ciphertext = wrapGcm(this.#key, bytes, materials.algorithmBinding);
      return { wrapAlgorithm: AES_GCM, ciphertext, description };
    });
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    if (materials.suite.format === "message") return unwrapFromMessage(this.#messageKeys, materials, encryptedDataKeys);
    const expected = expectedDataKey(materials, this.#acceptGcmBindingForCbc);
    let mine = false;
    for (const { wrapAlgorithm, ciphertext, description } of encryptedDataKeys) {
      const entry = UNWRAPS.find(({ algorithm }) => isSameWrapAlgorithm(algorithm, wrapAlgorithm));
      if (entry === undefined) continue;
      mine = true;
      const key = keyDescribedBy(description, this.#decryptionKeys) ?? this.#key;
      const dataKey = entry.unwrap(key, ciphertext, expected);
      if (dataKey !== undefined) return withDataKey(materials, importDataKey(dataKey));
    }
    // One error without a cause, whichever check failed (S16).
    if (mine) throw decryptionFailed();
    return null;
  }
}
