import type { KeyObject } from "node:crypto";
import type { AlgorithmSuite, CommitmentPolicy, EncryptedDataKey, StringMap, WrapAlgorithm } from "@s3ec/envelope";
import type { Keyring } from "./keyring.js";
import type { DecryptionMaterials, EncryptionMaterials, WithDataKey } from "./materials.js";

/**
 * Which object materials are asked for, as the caller of the client named it. Advice, for choosing keys and for audit logs:
 * nothing binds or stores it, and an object can be copied to another name.
 */
export interface RequestedObject {
  /** The bucket's name, or an access point's ARN. */
  readonly bucket?: string | undefined;
  /** The object's key. */
  readonly key?: string | undefined;
}

/** What the client asks for when it writes an object. */
export interface EncryptionRequest extends RequestedObject {
  /** What the content will be encrypted with. */
  readonly suite: AlgorithmSuite;
  /** The text that wraps must be bound to (S2); see `EncryptionMaterials.algorithmBinding`. */
  readonly algorithmBinding: string;
  /** The client's. The suite has passed it; a cache must not answer across policies. */
  readonly commitmentPolicy: CommitmentPolicy;
  /** What the caller passed, without reserved names; empty where nothing was. */
  readonly encryptionContext: StringMap;
  /** What the caller passed to be stored beside raw-key wraps. Absent: the keyring's own. */
  readonly materialDescription?: StringMap;
  /** Plaintext bytes; absent where not known. */
  readonly contentLength?: number;
  /** The data key of an object that stands, to be wrapped as it is. Absent: a new one is made. */
  readonly dataKey?: KeyObject;
}

/** What the client asks for when it reads one. Only made after every policy gate has passed. */
export interface DecryptionRequest extends RequestedObject {
  /** What the content is encrypted with, as the object says. */
  readonly suite: AlgorithmSuite;
  /** The text that wraps must be bound to (S2), as stored with the object. */
  readonly algorithmBinding: string;
  /** The client's. The suite has passed it; a cache must not answer across policies. */
  readonly commitmentPolicy: CommitmentPolicy;
  /** What the caller passed; empty where nothing was. For a message, all that its header holds. */
  readonly encryptionContext: StringMap;
  /** What the caller expects to be stored beside a raw-key wrap. Absent: anything. */
  readonly materialDescription?: StringMap;
  /** Every wrap of the data key that the object holds, in the order stored. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
}

/** Decides about materials: which keyring, whether cached, what a context must hold. */
export interface MaterialsManager {
  /** The wraps that `getDecryptionMaterials` can have unwrapped; see `Keyring.wrapAlgorithms`. */
  readonly wrapAlgorithms: readonly WrapAlgorithm[];
  /** See `Keyring.instructionFileSuffixes`. */
  readonly instructionFileSuffixes?: readonly string[];
  /**
   * What this manager makes of bucket and key: requests for which it names the same partition, and which differ in nothing
   * else that counts, may share one data key in a `CachingMaterialsManager`. Where it names none, each bucket and key is a
   * partition of its own, since they may decide about the wrapping key.
   */
  cachePartition?(request: EncryptionRequest | DecryptionRequest): string | undefined;
  /**
   * The keyring that serves an object, for what keyrings do among themselves (`Keyring.reencrypt`). Absent or undefined where
   * the manager decides more than that; the data key is then opened and wrapped by its other methods.
   * @throws S3EncryptionError `invalid-argument` for a request that must not be served
   */
  keyringFor?(request: EncryptionRequest | DecryptionRequest): Keyring | undefined;
  /**
   * A data key and its wraps for one object.
   * @throws S3EncryptionError `invalid-argument` for a request that must not be served, `invalid-configuration` where the
   * keyring cannot write, and what a keyring throws
   */
  getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>>;
  /**
   * The data key of one object.
   * @throws S3EncryptionError `context-mismatch`, before a key is used, where the caller's context or description is not the
   * stored one; `no-matching-key`; `decryption-failed` for everything that depends on secret or stored bytes (S16); and what
   * a keyring throws
   */
  getDecryptionMaterials(request: DecryptionRequest): Promise<WithDataKey<DecryptionMaterials>>;
  /**
   * An object that was begun under this data key has ended without becoming one, since other content was to be put into its
   * place: no other object gets the data key. Whoever keeps none has nothing to do.
   */
  forget?(dataKey: KeyObject): void;
}
