import type { AlgorithmSuite } from "./algorithm-suites.js";
import type { StringMap } from "./string-map.js";
import type { WrapAlgorithm } from "./wrap-algorithms.js";

/** A data key wrapped by one wrapping key, with the string map stored beside it. */
export interface EncryptedDataKey {
  /** How it was wrapped, resolved from what the object stores. */
  readonly wrapAlgorithm: WrapAlgorithm;
  /** The wrapped bytes, in the wrap's own layout; never empty when stored. */
  readonly ciphertext: Uint8Array;
  /**
   * The encryption context (KMS) or material description (raw keys), exactly as stored. A description that is JSON of
   * another shape has no entries and is the same as no map: `unknownDescriptionText`.
   */
  readonly description: StringMap;
  /** Messages only: the key provider's information, where it is not a description. */
  readonly providerInfo?: Uint8Array;
  /** Where a writer puts it: an instruction file with this suffix instead of the default place. */
  readonly instructionFileSuffix?: string;
  /** Of a new wrap: the wrapping key, as its key store names it, such as a KMS key's ARN. For audits; selects nothing. */
  readonly wrappingKey?: string;
}

/** What envelopes of every format say. */
export interface EnvelopeFields {
  /** Where the wrapped key was found. */
  readonly placement: "metadata" | "instruction-file";
  /** What the content is encrypted with: decided once, from all that is stored, for gates and cipher alike (S8). */
  readonly suite: AlgorithmSuite;
  /** The content algorithm as stored, which the wrapped key must be bound to (1.4). */
  readonly algorithmBinding: string;
  /** The one wrapped key that this store holds. */
  readonly encryptedDataKey: EncryptedDataKey;
  /** `x-amz-unencrypted-content-length` where a writer left one: informational, in bytes. */
  readonly statedPlaintextLength?: number;
}

/** Formats V1 (`x-amz-key`) and V2 (`x-amz-key-v2`): the data key encrypts the content under a stored IV. */
export interface UncommittedEnvelope extends EnvelopeFields {
  /** Which names its fields have. */
  readonly format: "V1" | "V2";
  /** 12 bytes for GCM, 16 for CBC. */
  readonly iv: Uint8Array;
}

/** Format V3: the content key is derived, and the derivation committed to. */
export interface CommittedEnvelope extends EnvelopeFields {
  readonly format: "V3";
  /** 28 bytes, the salt of the derivation. */
  readonly messageId: Uint8Array;
  /** 28 bytes. */
  readonly commitment: Uint8Array;
}

/** Everything stored about an object that is needed to decrypt it, parsed and checked. */
export type Envelope = UncommittedEnvelope | CommittedEnvelope;
