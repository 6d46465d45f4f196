import type { EncryptedDataKey, WrapAlgorithm } from "@s3ec/envelope";
import type { DecryptionMaterials, EncryptionMaterials } from "./materials.js";
import type { KeyringPart, ReencryptedDataKey, ReencryptionRequest } from "./reencryption.js";

/** Why a key would be tried that opens a wrapped key whether it is the right one or not: its description, or no other reason. */
export type BlindMatch = "selected" | "possible";

/** Wraps and unwraps data keys with wrapping keys that it alone knows. */
export interface Keyring {
  /**
   * The wraps that `onDecrypt` can unwrap. Every policy gate is decided on these and on what the object stores, before
   * a key is used or a key store is called (S6).
   */
  readonly wrapAlgorithms: readonly WrapAlgorithm[];

  /** Suffixes of the instruction files that `onEncrypt` asks for, so that they are deleted and copied with the object. */
  readonly instructionFileSuffixes?: readonly string[];

  /**
   * Whether it opens what keys have wrapped that it was not given, so that whoever stores an object chooses the key (S11). An
   * upload is not resumed with one. Default: false.
   */
  readonly discoversKeys?: boolean;

  /**
   * Adds an encrypted data key to the materials; creates the data key first (`createDataKey`) when there is none yet.
   * The wrap must be bound to `materials.algorithmBinding` (S2).
   * @throws S3EncryptionError `key-unavailable` when the key store cannot be reached or refuses, `unsupported-operation` for a
   * suite whose objects hold no wrap of this keyring
   */
  onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials>;

  /**
   * Returns materials holding the data key, or null when none of these encrypted data keys is for this keyring: another
   * wrap, another key's description. Throws only when one is for it and cannot be unwrapped.
   * @throws S3EncryptionError `decryption-failed` (`decryptionFailed()`) for everything that depends on secret or stored bytes,
   * `context-mismatch` before the key is used, `key-unavailable` when the key store cannot be reached or refuses
   */
  onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null>;

  /**
   * For wraps that any key opens, to something (RSA PKCS#1 v1.5, which never tells: S6), so that trying cannot find the right
   * one: the keys that `onDecrypt` would try. Uses none. Default: there are no such wraps.
   */
  blindMatches?(encryptedDataKey: EncryptedDataKey): readonly BlindMatch[];

  /**
   * For a key store that can wrap anew what it has wrapped, so that the data key never leaves it. Undefined where the two
   * keyrings, or this wrap, do not go together.
   * @throws S3EncryptionError `context-mismatch`, `decryption-failed` and `key-unavailable` as `onDecrypt`; `invalid-argument`
   * for a context that is not to be written
   */
  reencrypt?(request: ReencryptionRequest): Promise<ReencryptedDataKey | undefined>;

  /** The keyrings that this one is made of, each asked by itself for `reencrypt`. Default: it is one. */
  readonly parts?: readonly KeyringPart[];
}
