import type { AlgorithmSuite, CommitmentPolicy, EncryptedDataKey, StringMap, WrapAlgorithm } from "@s3ec/envelope";
import type { DecryptionMaterials, EncryptionMaterials, WithDataKey } from "./materials.js";

/** What the client asks for when it writes an object. */
export interface EncryptionRequest {
  readonly suite: AlgorithmSuite;
  readonly algorithmBinding: string;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly encryptionContext: StringMap;
  readonly materialDescription?: StringMap;
  /** Plaintext bytes, where known. */
  readonly contentLength?: number;
}

/** What the client asks for when it reads one. Only made after every policy gate has passed. */
export interface DecryptionRequest {
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
  getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>>;
  getDecryptionMaterials(request: DecryptionRequest): Promise<WithDataKey<DecryptionMaterials>>;
}
