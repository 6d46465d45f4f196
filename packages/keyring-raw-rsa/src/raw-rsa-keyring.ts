import type { KeyObject } from "node:crypto";
import { RSA_OAEP_SHA1, RSA_OAEP_SHA256, RSA_PKCS1 } from "@s3ec/envelope";
import {
  assertKnownOptions,
  type DecryptionMaterials,
  type DescribedKey,
  decryptionFailed,
  describedKeys,
  descriptionToStore,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type ExpectedDataKey,
  expectedDataKey,
  importDataKey,
  isSameWrapAlgorithm,
  type Keyring,
  keyDescribedBy,
  type MessageKeyName,
  MessageKeys,
  materialDescription,
  type OptionNames,
  S3EncryptionError,
  type StringMap,
  type WrapAlgorithm,
  withDataKey,
  withWrappedDataKey,
} from "@s3ec/materials";
import { unwrapOaepSha256 } from "./legacy-oaep-sha256.js";
import { unwrapPkcs1, unwrapPkcs1OrUnpadded } from "./legacy-pkcs1.js";
import { OAEP_HASHES, type OaepHash, unwrapFromMessage, wrapForMessage } from "./message-wrap.js";
import { unwrapOaep, wrapOaep } from "./oaep-wrap.js";
import {
  publicHalf,
  publicKeyOnly,
  type RsaPrivateKey,
  type RsaPublicKey,
  rsaPrivateKey,
  rsaPublicKey,
} from "./rsa-keys.js";

/** A former private key, used for reading the objects that carry exactly its description, or its name in messages. */
export interface RsaDecryptionKey {
  readonly privateKey: RsaPrivateKey;
  /** Without it, the key reads messages only. */
  readonly materialDescription?: StringMap;
  /** Without it, the key reads no messages. */
  readonly messageKey?: MessageKeyName;
}

export interface RawRsaKeyringOptions {
  /** Reads, and writes too: the public key is derived from it. 2048 bits or more, like every key here. */
  readonly privateKey?: RsaPrivateKey;
  /** Alone: a keyring that writes and cannot read. Beside `privateKey`: must belong to it. */
  readonly publicKey?: RsaPublicKey;
  /** Stored with every object, in the clear and unauthenticated; selects keys on reading. Default: none. */
  readonly materialDescription?: StringMap;
  /** What messages of the AWS Encryption SDK call the key. Without it the keyring neither writes nor reads any. */
  readonly messageKey?: MessageKeyName;
  /**
   * Digest of the OAEP wraps in messages and of their masks, in every key's; messages do not store it, so writer and
   * reader must agree. Default "sha256".
   */
  readonly oaepHash?: OaepHash;
  /** Keys that only read, each selected by its description; any other description means `privateKey`. */
  readonly decryptionKeys?: readonly RsaDecryptionKey[];
  /**
   * DANGEROUS, default false. Also opens legacy objects whose data key was encrypted with textbook RSA, which a Java V1
   * client forced onto BouncyCastle wrote. Such a wrap protects nothing against someone who can alter it.
   */
  readonly enableUnpaddedRsa?: boolean;
  /**
   * DANGEROUS, default false. Also opens CBC objects whose wrap is bound to GCM, which the Java client makes when it
   * re-encrypts the instruction file of a CBC object (H1). It gives up the check that stops CVE-2020-8912 (S2): whoever
   * can write to the bucket may relabel your GCM objects as CBC. Turn it on for one migration, in a client of its own.
   */
  readonly enableCbcRewrapBoundToGcm?: boolean;
}

const OPTIONS: OptionNames<RawRsaKeyringOptions> = {
  privateKey: true,
  publicKey: true,
  materialDescription: true,
  messageKey: true,
  oaepHash: true,
  decryptionKeys: true,
  enableUnpaddedRsa: true,
  enableCbcRewrapBoundToGcm: true,
};

const DECRYPTION_KEY: OptionNames<RsaDecryptionKey> = { privateKey: true, materialDescription: true, messageKey: true };

interface Unwrap {
  readonly algorithm: WrapAlgorithm;
  readonly unwrap: (key: KeyObject, wrapped: Uint8Array, expected: ExpectedDataKey) => Uint8Array | undefined;
}

/**
 * Wraps data keys under an RSA key that you hold. Writes RSA-OAEP-SHA1; reads it, and OAEP with SHA-256 and PKCS#1 v1.5
 * where the client allows legacy wraps. With `messageKey`, messages have the OAEP wrap of the AWS Encryption SDK's raw RSA
 * keyring. Throws `invalid-argument` or `invalid-configuration` at construction.
 */
export class RawRsaKeyring implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  readonly #unwraps: readonly Unwrap[];
  readonly #privateKey: KeyObject | undefined;
  readonly #publicKey: KeyObject;
  readonly #description: StringMap;
  readonly #decryptionKeys: readonly DescribedKey<KeyObject>[];
  readonly #messageKeys: MessageKeys<KeyObject | undefined>;
  readonly #oaepHash: OaepHash;
  readonly #acceptGcmBindingForCbc: boolean;

  constructor(options: RawRsaKeyringOptions) {
    assertKnownOptions(options, OPTIONS, "RawRsaKeyring");
    for (const entry of options.decryptionKeys ?? []) assertKnownOptions(entry, DECRYPTION_KEY, "decryptionKeys");
    const publicKey = options.publicKey === undefined ? undefined : rsaPublicKey(options.publicKey);
    if (options.privateKey !== undefined) {
      this.#privateKey = rsaPrivateKey(options.privateKey);
      this.#publicKey = publicHalf(this.#privateKey, publicKey);
    } else if (publicKey !== undefined) {
      this.#publicKey = publicKey;
    } else {
      throw new S3EncryptionError("invalid-configuration", "Pass privateKey to read and write, or publicKey to write.");
    }
    this.#description = materialDescription(options.materialDescription);
    const former = (options.decryptionKeys ?? []).map((entry) => ({ ...entry, key: rsaPrivateKey(entry.privateKey) }));
    this.#decryptionKeys = describedKeys(this.#description, former);
    this.#messageKeys = new MessageKeys({ key: this.#privateKey, messageKey: options.messageKey }, former);
    this.#oaepHash = oaepHash(options.oaepHash);
    this.#acceptGcmBindingForCbc = options.enableCbcRewrapBoundToGcm === true;
    this.#unwraps = [
      { algorithm: RSA_OAEP_SHA1, unwrap: unwrapOaep },
      { algorithm: RSA_OAEP_SHA256, unwrap: unwrapOaepSha256 },
      { algorithm: RSA_PKCS1, unwrap: options.enableUnpaddedRsa === true ? unwrapPkcs1OrUnpadded : unwrapPkcs1 },
    ];
    const algorithms = this.#unwraps.map((entry) => entry.algorithm);
    this.wrapAlgorithms = Object.freeze([...algorithms, ...this.#messageKeys.providers]);
  }

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    if (materials.suite.format === "message") {
      const { own } = this.#messageKeys;
      return await withWrappedDataKey(materials, (bytes) =>
        wrapForMessage(this.#publicKey, own, this.#oaepHash, bytes),
      );
    }
    const description = descriptionToStore(this.#description, materials.materialDescription, this.#decryptionKeys);
    return await withWrappedDataKey(materials, (bytes) => {
      const ciphertext = wrapOaep(this.#publicKey, bytes, materials.algorithmBinding);
      return { wrapAlgorithm: RSA_OAEP_SHA1, ciphertext, description };
    });
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    if (materials.suite.format === "message") {
      return unwrapFromMessage(this.#messageKeys, this.#oaepHash, materials, encryptedDataKeys);
    }
    const expected = expectedDataKey(materials, this.#acceptGcmBindingForCbc);
    let tried = false;
    let withoutPrivateKey = false;
    for (const { wrapAlgorithm, ciphertext, description } of encryptedDataKeys) {
      const entry = this.#unwraps.find(({ algorithm }) => isSameWrapAlgorithm(algorithm, wrapAlgorithm));
      if (entry === undefined) continue;
      const key = keyDescribedBy(description, this.#decryptionKeys) ?? this.#privateKey;
      if (key === undefined) {
        withoutPrivateKey = true;
        continue;
      }
      tried = true;
      const dataKey = entry.unwrap(key, ciphertext, expected);
      if (dataKey !== undefined) return withDataKey(materials, importDataKey(dataKey));
    }
    // One error without a cause, whichever check failed (S16).
    if (tried) throw decryptionFailed();
    if (withoutPrivateKey) throw publicKeyOnly();
    return null;
  }
}

function oaepHash(given: OaepHash = "sha256"): OaepHash {
  if (OAEP_HASHES.includes(given)) return given;
  throw new S3EncryptionError("invalid-argument", `The oaepHash must be one of ${OAEP_HASHES.join(", ")}.`);
}
