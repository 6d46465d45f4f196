import type { AlgorithmSuite } from "./algorithm-suites.js";
import { decryptionFailed } from "./errors.js";

/** Bytes of a stored body for this many of plaintext. */
export function ciphertextLength(suite: AlgorithmSuite, plaintextLength: number): number {
  return suite.cipher === "cbc" ? plaintextLength + 16 - (plaintextLength % 16) : plaintextLength + suite.tagLength;
}

/**
 * Plaintext bytes of a stored GCM body; for CBC, whose padding is not visible, undefined.
 * @throws S3EncryptionError `decryption-failed` for a length that no GCM body has: shorter than a tag, or past what one
 * message may hold
 */
export function plaintextLength(suite: AlgorithmSuite, storedLength: number): number | undefined {
  if (suite.cipher === "cbc") return undefined;
  const length = storedLength - suite.tagLength;
  if (length < 0 || length > suite.maxContentLength) throw decryptionFailed();
  return length;
}
