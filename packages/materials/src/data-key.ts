import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { type AlgorithmSuite, S3EncryptionError } from "@s3ec/envelope";

/** A fresh random data key for the suite: 32 bytes, whatever shorter keys a reader would accept (H19). */
export function createDataKey(_suite: AlgorithmSuite): KeyObject {
  return importDataKey(randomBytes(32));
}

/** Takes over raw data key bytes: the buffer is zeroed, so that the key lives in the `KeyObject` alone. */
export function importDataKey(bytes: Uint8Array): KeyObject {
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

/**
 * Lends the raw bytes of a data key for the duration of `use`, then zeroes them.
 * @throws S3EncryptionError `invalid-argument` for a key that is not secret, and what `use` throws
 */
export async function lendDataKey<T>(dataKey: KeyObject, use: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
  if (dataKey.type !== "secret") {
    throw new S3EncryptionError("invalid-argument", "A data key must be a secret KeyObject.");
  }
  const bytes = dataKey.export();
  try {
    return await use(bytes);
  } finally {
    bytes.fill(0);
  }
}
