import type { AlgorithmSuite } from "./algorithm-suites.js";
import { S3EncryptionError } from "./errors.js";

/** How a data key is wrapped, resolved once from what an object stores (docs/formats.md 1.4). */
export interface WrapAlgorithm {
  /** Unique name; also what the sibling clients call it in their messages. */
  readonly name: string;
  /** The `x-amz-wrap-alg` value of formats V1 and V2; null where the wrap stores no name or V2 cannot hold it. */
  readonly v2Name: string | null;
  /** The `x-amz-w` value of format V3; null where V3 cannot hold it. */
  readonly v3Code: string | null;
  /** Not bound to the content algorithm: read behind `enableLegacyWrappingAlgorithms`, never written (S2). */
  readonly legacy: boolean;
  /** What kind of wrapping key it takes; `other` where only whoever declared the wrap knows. */
  readonly keyKind: "aes" | "rsa" | "kms" | "other";
  /**
   * What is stored beside the wrapped key: authenticated KMS context, a selector of raw keys, or, in a message of the
   * AWS Encryption SDK, the key provider's own information.
   */
  readonly describedBy: "encryption-context" | "material-description" | "provider-info";
}

function define(entry: WrapAlgorithm): WrapAlgorithm {
  return Object.freeze(entry);
}

function raw(
  name: string,
  keyKind: "aes" | "rsa",
  stored: { v2Name: string | null; v3Code?: string },
  legacy: boolean,
): WrapAlgorithm {
  const { v2Name, v3Code = null } = stored;
  return define({ name, v2Name, v3Code, legacy, keyKind, describedBy: "material-description" });
}

/** AES-256-GCM under a raw AES key, AAD = the content algorithm. */
export const AES_GCM: WrapAlgorithm = raw("AES/GCM", "aes", { v2Name: "AES/GCM", v3Code: "02" }, false);

/** RSA-OAEP with SHA-1 for both digests over `length byte ‖ data key ‖ content algorithm`. */
export const RSA_OAEP_SHA1: WrapAlgorithm = raw(
  "RSA-OAEP-SHA1",
  "rsa",
  { v2Name: "RSA-OAEP-SHA1", v3Code: "22" },
  false,
);

/** A KMS ciphertext blob whose context names the content algorithm. */
export const KMS_CONTEXT: WrapAlgorithm = define({
  name: "kms+context",
  v2Name: "kms+context",
  v3Code: "12",
  legacy: false,
  keyKind: "kms",
  describedBy: "encryption-context",
});

/** A KMS ciphertext blob whose context is whatever was stored: unbound (1.5). */
export const KMS: WrapAlgorithm = define({
  name: "kms",
  v2Name: "kms",
  v3Code: null,
  legacy: true,
  keyKind: "kms",
  describedBy: "encryption-context",
});

/** RFC 3394 key wrap. */
export const AES_WRAP: WrapAlgorithm = raw("AESWrap", "aes", { v2Name: "AESWrap" }, true);

/** RSA-OAEP with SHA-256; MGF1 digest SHA-1 or SHA-256 (H2). */
export const RSA_OAEP_SHA256: WrapAlgorithm = raw(
  "RSA/ECB/OAEPWithSHA-256AndMGF1Padding",
  "rsa",
  { v2Name: "RSA/ECB/OAEPWithSHA-256AndMGF1Padding" },
  true,
);

/** AES-ECB with PKCS#7 padding; objects store no name for it. */
export const AES_ECB: WrapAlgorithm = raw("AES", "aes", { v2Name: null }, true);

/** RSAES-PKCS1-v1_5; objects store no name for it. */
export const RSA_PKCS1: WrapAlgorithm = raw("RSA", "rsa", { v2Name: null }, true);

/** The wraps of the official clients. */
export const WRAP_ALGORITHMS: readonly WrapAlgorithm[] = Object.freeze([
  AES_GCM,
  RSA_OAEP_SHA1,
  KMS_CONTEXT,
  KMS,
  AES_WRAP,
  RSA_OAEP_SHA256,
  AES_ECB,
  RSA_PKCS1,
]);

/**
 * Declares a wrap of your own, for a key store that the official clients do not know. `name` is stored as it is in
 * `x-amz-wrap-alg` (V2) and `x-amz-w` (V3), so it must be printable ASCII without spaces and not an official name;
 * put something of yours in front: `"vault:transit/v1"`. `describedBy` is `material-description` unless given.
 * @throws S3EncryptionError `invalid-argument` for any other name
 */
export function defineWrapAlgorithm(options: {
  readonly name: string;
  readonly describedBy?: WrapAlgorithm["describedBy"];
}): WrapAlgorithm {
  const { name, describedBy = "material-description" } = options;
  // Two characters are the official codes, those that nobody writes among them (H26).
  if (typeof name !== "string" || !/^[\x21-\x7e]{3,64}$/.test(name)) {
    throw new S3EncryptionError(
      "invalid-argument",
      "A wrap algorithm's name must be 3 to 64 printable ASCII characters without spaces.",
    );
  }
  const taken = WRAP_ALGORITHMS.some((entry) => entry.name.toLowerCase() === name.toLowerCase());
  if (taken) {
    throw new S3EncryptionError("invalid-argument", `"${name}" is an official wrap algorithm; choose another name.`);
  }
  return define({ name, v2Name: name, v3Code: name, legacy: false, keyKind: "other", describedBy });
}

/**
 * The wraps of a key provider of the AWS Encryption SDK, which tells keys apart by provider id and provider information
 * and stores no name of an algorithm. `id` is `aws-kms`, or the namespace of a raw keyring: 1 to 65,535 bytes of UTF-8.
 * @throws S3EncryptionError `invalid-argument` for any other length
 */
export function keyProvider(id: string): WrapAlgorithm {
  const length = Buffer.byteLength(id);
  if (length === 0 || length > 0xffff) {
    throw new S3EncryptionError("invalid-argument", "A key provider id must be a text of 1 to 65,535 bytes.");
  }
  const keyKind = id === "aws-kms" ? "kms" : "other";
  return define({ name: id, v2Name: null, v3Code: null, legacy: false, keyKind, describedBy: "provider-info" });
}

/** KMS as the AWS Encryption SDK wraps with it: the provider information is the key's ARN. */
export const AWS_KMS_PROVIDER: WrapAlgorithm = keyProvider("aws-kms");

/** Declared by a keyring that opens keys of providers which it cannot name, such as one of another library. */
export const ANY_KEY_PROVIDER: WrapAlgorithm = define({
  name: "*",
  v2Name: null,
  v3Code: null,
  legacy: false,
  keyKind: "other",
  describedBy: "provider-info",
});

/**
 * Whether two entries are the same wrap, even when they come from two installed copies of this package. A key provider
 * is never a wrap of the S3 formats, whatever name it takes: a message would get past the gate of a legacy wrap (S2).
 */
export function isSameWrapAlgorithm(a: WrapAlgorithm, b: WrapAlgorithm): boolean {
  return a.name === b.name && isKeyProvider(a) === isKeyProvider(b);
}

/** Whether objects of a suite can say that such a wrap is theirs: a provider's where they name providers, and nowhere else. */
export function canHoldWrap({ wrapsNamedBy }: AlgorithmSuite, wrapAlgorithm: WrapAlgorithm): boolean {
  if (wrapsNamedBy === "algorithm") return !isKeyProvider(wrapAlgorithm);
  return isKeyProvider(wrapAlgorithm) || wrapAlgorithm.keyKind === "other";
}

function isKeyProvider({ describedBy }: WrapAlgorithm): boolean {
  return describedBy === "provider-info";
}
