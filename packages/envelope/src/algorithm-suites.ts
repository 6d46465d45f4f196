import { S3EncryptionError } from "./errors.js";

/** Names as in the specification of the S3 Encryption Client. */
export type AlgorithmSuiteName =
  | "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY"
  | "ALG_AES_256_GCM_IV12_TAG16_NO_KDF"
  | "ALG_AES_256_CBC_IV16_NO_KDF";

/** A content encryption algorithm, resolved once and passed around as an entry (docs/formats.md 1.2). */
export interface AlgorithmSuite {
  /** As in the specification, unique; errors and configurations name it. */
  readonly name: string;
  /** Name of the format that stores it, as `ObjectFormat.name` has it. */
  readonly format: string;
  /**
   * What the format stores to say whose a wrapped key is: the algorithm of the wrap, or the key provider of the AWS
   * Encryption SDK. A wrap of somebody's own has one name for both (`canHoldWrap`).
   */
  readonly wrapsNamedBy: "algorithm" | "provider";
  /** The format keeps all wrapped keys of an object together; otherwise each has a place of its own. */
  readonly holdsManyWraps: boolean;
  /** The format authenticates the encryption context itself, whatever the wraps bind. */
  readonly authenticatesContext: boolean;
  /** The specification's number of the suite. */
  readonly id: number;
  /** AES in this mode, with the key length that the data key has. */
  readonly cipher: "gcm" | "cbc";
  /** The content key is bound to the message by a key commitment (1.3). */
  readonly committing: boolean;
  /** Data key lengths in bytes that a reader accepts; writers use 32 only (H19). */
  readonly dataKeyLengths: readonly number[];
  /** IV in bytes. */
  readonly ivLength: number;
  /** Bytes by which a body grows at its end; 0 where the cipher pads instead. */
  readonly tagLength: number;
  /** Plaintext bytes at most: 2^36 - 32 for GCM (NIST SP 800-38D 5.2.1.1). */
  readonly maxContentLength: number;
  /** What a writer stores as `x-amz-cek-alg` (V2) or `x-amz-c` (V3), and binds the wrapped key to (1.4). */
  readonly storedName: string;
  /** Messages only: signed by a key pair of their own, whose public key is part of the encryption context. */
  readonly signature?: { readonly curve: "P-256" | "P-384"; readonly hash: "sha256" | "sha384" };
}

/** What the formats of the S3 encryption clients do with wraps and context. */
const S3 = { format: "s3", wrapsNamedBy: "algorithm", holdsManyWraps: false, authenticatesContext: false } as const;

const GCM_CONTENT_LIMIT = 2 ** 36 - 32;

/** The default: AES-256-GCM under a key derived with HKDF-SHA-512, with key commitment. Format V3. */
export const COMMITTING_GCM: AlgorithmSuite = Object.freeze({
  name: "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
  ...S3,
  id: 0x0073,
  cipher: "gcm",
  committing: true,
  dataKeyLengths: Object.freeze([32]),
  ivLength: 12,
  tagLength: 16,
  maxContentLength: GCM_CONTENT_LIMIT,
  storedName: "115",
});

/** AES-GCM under the data key itself, for readers of the previous generation. Format V2. */
export const GCM: AlgorithmSuite = Object.freeze({
  name: "ALG_AES_256_GCM_IV12_TAG16_NO_KDF",
  ...S3,
  id: 0x0072,
  cipher: "gcm",
  committing: false,
  dataKeyLengths: Object.freeze([16, 24, 32]),
  ivLength: 12,
  tagLength: 16,
  maxContentLength: GCM_CONTENT_LIMIT,
  storedName: "AES/GCM/NoPadding",
});

/** AES-CBC, unauthenticated: read behind `enableLegacyUnauthenticatedModes`, never written (S1). */
export const CBC: AlgorithmSuite = Object.freeze({
  name: "ALG_AES_256_CBC_IV16_NO_KDF",
  ...S3,
  id: 0x0070,
  cipher: "cbc",
  committing: false,
  dataKeyLengths: Object.freeze([16, 24, 32]),
  ivLength: 16,
  tagLength: 0,
  maxContentLength: Number.MAX_SAFE_INTEGER,
  storedName: "AES/CBC/PKCS5Padding",
});

/** Every suite of the S3 formats, the newest first. */
export const ALGORITHM_SUITES: readonly AlgorithmSuite[] = Object.freeze([COMMITTING_GCM, GCM, CBC]);

/**
 * Resolves a suite of the S3 formats by its specification name.
 * @throws S3EncryptionError `invalid-argument` for any other text
 */
export function algorithmSuite(name: string): AlgorithmSuite {
  const suite = ALGORITHM_SUITES.find((entry) => entry.name === name);
  if (suite === undefined) {
    const known = ALGORITHM_SUITES.map((entry) => entry.name).join(", ");
    throw new S3EncryptionError("invalid-argument", `Unknown algorithm suite "${name}"; use one of ${known}.`);
  }
  return suite;
}

/** The suite that a stored `x-amz-cek-alg` names, or undefined. An absent name means CBC (3.4 item 5, H22). */
export function suiteOfContentAlgorithm(name: string | undefined): AlgorithmSuite | undefined {
  switch (name) {
    case "AES/GCM/NoPadding":
      return GCM;
    case undefined:
    case "AES/CBC/PKCS5Padding":
    case "AES/CBC/PKCS7Padding":
      return CBC;
    default:
      return undefined;
  }
}
