import type { AlgorithmSuite } from "./algorithm-suites.js";
import type { Envelope } from "./envelope.js";
import { S3EncryptionError } from "./errors.js";
import { isSameWrapAlgorithm, type WrapAlgorithm } from "./wrap-algorithms.js";

/** Names as in the specification of the S3 Encryption Client; the table stands in docs/formats.md 5. */
export type CommitmentPolicy =
  | "FORBID_ENCRYPT_ALLOW_DECRYPT"
  | "REQUIRE_ENCRYPT_ALLOW_DECRYPT"
  | "REQUIRE_ENCRYPT_REQUIRE_DECRYPT";

/** Every policy, from the one that allows most to the strictest. */
export const COMMITMENT_POLICIES: readonly CommitmentPolicy[] = Object.freeze([
  "FORBID_ENCRYPT_ALLOW_DECRYPT",
  "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
  "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
]);

// By name, so that a policy that nobody defined, as plain JavaScript can pass one, allows nothing.
const ALLOW_DECRYPT: ReadonlySet<string> = new Set<CommitmentPolicy>([
  "FORBID_ENCRYPT_ALLOW_DECRYPT",
  "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
]);

/** What a reader allows. */
export interface DecryptionPolicy {
  /** Whether content without key commitment may be read. */
  readonly commitmentPolicy: CommitmentPolicy;
  /** Allows CBC content and ranged reads, neither of which is authenticated. */
  readonly enableLegacyUnauthenticatedModes: boolean;
  /** Allows wraps that are not bound to the content algorithm. */
  readonly enableLegacyWrappingAlgorithms: boolean;
}

/**
 * Refuses a suite that the policy does not let us write; CBC is never written (S1).
 * @throws S3EncryptionError `commitment-policy`, or `invalid-configuration` for CBC
 */
export function assertMayEncrypt(suite: AlgorithmSuite, commitmentPolicy: CommitmentPolicy): void {
  if (suite.cipher === "cbc") {
    throw new S3EncryptionError("invalid-configuration", `${suite.name} can be read but never written.`);
  }
  if (suite.committing === (commitmentPolicy === "FORBID_ENCRYPT_ALLOW_DECRYPT")) {
    throw new S3EncryptionError(
      "commitment-policy",
      `The commitment policy ${commitmentPolicy} does not allow encrypting with ${suite.name}.`,
    );
  }
}

/**
 * Refuses a suite without key commitment that the policy does not let us read (S5). `format` names what it was found in.
 * @throws S3EncryptionError `commitment-policy`
 */
export function assertCommitmentAllows(
  suite: AlgorithmSuite,
  commitmentPolicy: CommitmentPolicy,
  format: string,
): void {
  if (suite.committing || ALLOW_DECRYPT.has(commitmentPolicy)) return;
  throw new S3EncryptionError(
    "commitment-policy",
    `The commitment policy ${commitmentPolicy} does not allow decrypting ${suite.name} (${format}); set commitmentPolicy to REQUIRE_ENCRYPT_ALLOW_DECRYPT to read it.`,
  );
}

/**
 * Refuses an object that the policy does not let us read, in the order of docs/formats.md 3.4 item 6 and before any key
 * is used: commitment policy, legacy content, legacy wrap, wrap against keyring (S5, S6).
 *
 * @param wrapAlgorithms what the configured keyring can unwrap
 * @throws S3EncryptionError `commitment-policy`, `legacy-disabled` or `no-matching-key`
 */
export function assertMayDecrypt(
  envelope: Envelope,
  policy: DecryptionPolicy,
  wrapAlgorithms: readonly WrapAlgorithm[],
): void {
  assertMayReadContent(envelope.suite, policy, envelope.format);
  assertMayUnwrap(envelope.encryptedDataKey.wrapAlgorithm, policy, wrapAlgorithms);
}

/**
 * The gates before the wrap: commitment policy, then legacy content (S5, S6).
 *
 * @throws S3EncryptionError `commitment-policy` or `legacy-disabled`
 */
export function assertMayReadContent(suite: AlgorithmSuite, policy: DecryptionPolicy, format: string): void {
  assertCommitmentAllows(suite, policy.commitmentPolicy, `format ${format}`);
  if (suite.cipher === "cbc" && policy.enableLegacyUnauthenticatedModes !== true) {
    throw new S3EncryptionError(
      "legacy-disabled",
      `Enable legacy unauthenticated modes to use legacy content decryption: ${suite.name}; set enableLegacyUnauthenticatedModes to true to read it.`,
    );
  }
}

/**
 * The gates of a wrap: whether legacy ones are read, and then whether the keyring knows it (S6).
 *
 * @param wrapAlgorithms what the configured keyring can unwrap
 * @throws S3EncryptionError `legacy-disabled` or `no-matching-key`
 */
export function assertMayUnwrap(
  wrapAlgorithm: WrapAlgorithm,
  policy: Pick<DecryptionPolicy, "enableLegacyWrappingAlgorithms">,
  wrapAlgorithms: readonly WrapAlgorithm[],
): void {
  if (wrapAlgorithm.legacy && policy.enableLegacyWrappingAlgorithms !== true) {
    throw new S3EncryptionError(
      "legacy-disabled",
      `Enable legacy wrapping algorithms to use legacy key wrapping algorithm: ${wrapAlgorithm.name}; set enableLegacyWrappingAlgorithms to true to read it.`,
    );
  }
  if (!wrapAlgorithms.some((entry) => isSameWrapAlgorithm(entry, wrapAlgorithm))) {
    throw new S3EncryptionError(
      "no-matching-key",
      `The object's data key is wrapped with ${wrapAlgorithm.name}, which no configured keyring unwraps.`,
    );
  }
}
