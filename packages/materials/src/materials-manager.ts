import type { AlgorithmSuite, CommitmentPolicy, EncryptedDataKey, StringMap, WrapAlgorithm } from "@s3ec/envelope";
import type { DecryptionMaterials, EncryptionMaterials, WithDataKey } from "./materials.js";

/**
 * Which object materials are asked for, as the caller of the client named it. Advice, for choosing keys and for audit logs:
 * nothing binds or stores it, and an object can be copied to another name.
 */
export interface RequestedObject {
  /** The bucket's name, or an access point's ARN. */
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
}

/** What the client asks for when it writes an object. */
export interface EncryptionRequest extends RequestedObject {
  readonly suite: AlgorithmSuite;
  readonly algorithmBinding: string;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly encryptionContext: StringMap;
  readonly materialDescription?: StringMap;
  /** Plaintext bytes, where known. */
  readonly contentLength?: number;
}

/** What the client asks for when it reads one. Only made after every policy gate has passed. */
export interface DecryptionRequest extends RequestedObject {
  readonly suite: AlgorithmSuite;
  readonly algorithmBinding: string;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly encryptionContext: StringMap;
  readonly materialDescription?: StringMap;
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
  getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>>;
  getDecryptionMaterials(request: DecryptionRequest): Promise<WithDataKey<DecryptionMaterials>>;
}
