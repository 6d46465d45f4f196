import type { AlgorithmSuite } from "@s3ec/materials";

/** How a message derives its content key from the data key. */
export type KeyDerivation =
  /** The data key itself encrypts the content. */
  | { readonly kind: "identity" }
  /** HKDF without a salt; info is `suite id ‖ message id`. */
  | {
      readonly kind: "hkdf";
      /** Of HMAC. */
      readonly hash: "sha256" | "sha384";
    }
  /** HKDF-SHA-512 salted with the message id, which also gives the key commitment. */
  | { readonly kind: "committing-hkdf" };

/** Bytes of the IV and the tag of AES-GCM, in every suite. */
export const IV_LENGTH = 12;
export const TAG_LENGTH = 16;

/** An algorithm suite of the AWS Encryption SDK. `storedName` is its id in hexadecimal: what our own wraps are bound to. */
export interface MessageSuite extends AlgorithmSuite {
  readonly format: "message";
  /** Version of the header, which decides its layout. */
  readonly headerVersion: 1 | 2;
  /** Of the message id, in bytes. */
  readonly messageIdLength: 16 | 32;
  /** Of the content key, in bytes. */
  readonly keyLength: 16 | 24 | 32;
  /** How the content key is made. */
  readonly derivation: KeyDerivation;
}

/** 2^32 - 1 frames of 2^32 - 1 bytes are more than a number holds exactly, and than S3 stores. */
const MAX_CONTENT_LENGTH = Number.MAX_SAFE_INTEGER;

function suite(
  name: string,
  id: number,
  keyLength: 16 | 24 | 32,
  derivation: KeyDerivation,
  signature?: AlgorithmSuite["signature"],
): MessageSuite {
  const committing = derivation.kind === "committing-hkdf";
  return Object.freeze({
    name,
    format: "message",
    wrapsNamedBy: "provider",
    holdsManyWraps: true,
    authenticatesContext: true,
    id,
    cipher: "gcm",
    committing,
    dataKeyLengths: Object.freeze([keyLength]),
    ivLength: 12,
    tagLength: 16,
    maxContentLength: MAX_CONTENT_LENGTH,
    storedName: id.toString(16).padStart(4, "0"),
    headerVersion: committing ? 2 : 1,
    messageIdLength: committing ? 32 : 16,
    keyLength,
    derivation: Object.freeze(derivation),
    ...(signature === undefined ? {} : { signature: Object.freeze(signature) }),
  });
}

const IDENTITY: KeyDerivation = { kind: "identity" };
const SHA256: KeyDerivation = { kind: "hkdf", hash: "sha256" };
const SHA384: KeyDerivation = { kind: "hkdf", hash: "sha384" };
const COMMITTING: KeyDerivation = { kind: "committing-hkdf" };
const P256 = { curve: "P-256", hash: "sha256" } as const;
const P384 = { curve: "P-384", hash: "sha384" } as const;

/** AES-256-GCM with key commitment: what is written unless a signature is asked for. */
export const COMMITTED: MessageSuite = suite("ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY", 0x0478, 32, COMMITTING);

/** The same, signed with a key pair of the message's own. */
export const COMMITTED_SIGNED: MessageSuite = suite(
  "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384",
  0x0578,
  32,
  COMMITTING,
  P384,
);

/** Every suite of the AWS Encryption SDK. Those without key commitment are read where the policy allows it, never written. */
export const MESSAGE_SUITES: readonly MessageSuite[] = Object.freeze([
  COMMITTED,
  COMMITTED_SIGNED,
  suite("ALG_AES_128_GCM_IV12_TAG16", 0x0014, 16, IDENTITY),
  suite("ALG_AES_192_GCM_IV12_TAG16", 0x0046, 24, IDENTITY),
  suite("ALG_AES_256_GCM_IV12_TAG16", 0x0078, 32, IDENTITY),
  suite("ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256", 0x0114, 16, SHA256),
  suite("ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA256", 0x0146, 24, SHA256),
  suite("ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA256", 0x0178, 32, SHA256),
  suite("ALG_AES_128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256", 0x0214, 16, SHA256, P256),
  suite("ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384", 0x0346, 24, SHA384, P384),
  suite("ALG_AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384", 0x0378, 32, SHA384, P384),
]);

/** Undefined for an id that no release of the AWS Encryption SDK uses with this version of the header. */
export function messageSuite(headerVersion: number, id: number): MessageSuite | undefined {
  return MESSAGE_SUITES.find((entry) => entry.headerVersion === headerVersion && entry.id === id);
}
