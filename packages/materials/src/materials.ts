import type { KeyObject } from "node:crypto";
import type { AlgorithmSuite, EncryptedDataKey, StringMap } from "@s3ec/envelope";

/** What a keyring works on when an object is written. Frozen: a keyring returns a new one, it never changes its input. */
export interface EncryptionMaterials {
  /** What the content will be encrypted with. */
  readonly suite: AlgorithmSuite;
  /** The text that the wrapped key must be bound to: `115` for V3, `AES/GCM/NoPadding` for V2 (docs/formats.md 1.4). */
  readonly algorithmBinding: string;
  /**
   * What the caller passed, without reserved names; bound by KMS wraps. Where the format authenticates it
   * (`suite.authenticatesContext`), all that it will hold, `aws-crypto-public-key` included: every wrap of the AWS
   * Encryption SDK that can bind it must.
   */
  readonly encryptionContext: StringMap;
  /** What the caller passed for raw-key wraps; stored instead of the keyring's own description. */
  readonly materialDescription?: StringMap;
  /** Secret `KeyObject` of 32 bytes; absent until a keyring creates it. */
  readonly dataKey?: KeyObject;
  /** The wraps of the data key so far; a keyring adds its own at the end (`withEncryptedDataKey`). */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** Of a suite that signs: the private key of this message alone. Not a keyring's business. */
  readonly signingKey?: KeyObject;
}

/** What a keyring works on when an object is read. Frozen, as above. */
export interface DecryptionMaterials {
  /** What the content is encrypted with, as the object says. */
  readonly suite: AlgorithmSuite;
  /** The content algorithm as stored with the object; a wrap that is bound to another one must not be unwrapped. */
  readonly algorithmBinding: string;
  /**
   * What the caller passed: KMS keyrings refuse an object whose stored context differs (S10). For a message, what its
   * header holds, after that was found to be what the caller passed.
   */
  readonly encryptionContext: StringMap;
  /** What the caller expects of raw-key wraps. Absent: nothing; compared by the materials manager, not by keyrings. */
  readonly materialDescription?: StringMap;
  /** Secret `KeyObject` of one of `suite.dataKeyLengths`; absent until a keyring unwrapped it. */
  readonly dataKey?: KeyObject;
  /** Of a suite that signs: the public key that the context holds. */
  readonly verificationKey?: KeyObject;
  /** Which keyring opened the data key, for logs: its class, and in a multi-keyring its place. Absent: it was not told. */
  readonly openedBy?: string;
}

/** Materials that hold a data key: what a materials manager hands to the client. */
export type WithDataKey<M extends EncryptionMaterials | DecryptionMaterials> = M & {
  /** The plain data key, a secret `KeyObject`. */
  readonly dataKey: KeyObject;
};

/** The same materials with a data key. */
export function withDataKey<M extends EncryptionMaterials | DecryptionMaterials>(
  materials: M,
  dataKey: KeyObject,
): WithDataKey<M> {
  const result = { ...materials, dataKey };
  Object.freeze(result);
  return result;
}

/** The same materials with one more encrypted data key at the end. */
export function withEncryptedDataKey<M extends EncryptionMaterials>(materials: M, added: EncryptedDataKey): M {
  const encryptedDataKeys = Object.freeze([...materials.encryptedDataKeys, Object.freeze(added)]);
  const result = { ...materials, encryptedDataKeys };
  Object.freeze(result);
  return result;
}
