import { contextMismatch, decryptionFailed, S3EncryptionError } from "@s3ec/materials";

/**
 * One error for several keyrings that each failed, by a fixed rule on their codes and in fixed words, so that it tells
 * no more than a single keyring's would (S16). Each keyring's reason is in the cause, an `AggregateError`.
 */
export function aggregateFailure(failures: readonly unknown[]): S3EncryptionError {
  const [first] = failures;
  if (failures.length === 1 && first instanceof S3EncryptionError) return first;
  const cause = new AggregateError(failures, "Every keyring that this wrapped key could be for failed.");
  const codes = failures.map((failure) => (failure instanceof S3EncryptionError ? failure.code : "decryption-failed"));
  // A key that could not be asked may be the right one: trying again can help, whatever the others said.
  if (codes.includes("key-unavailable")) {
    return new S3EncryptionError(
      "key-unavailable",
      "No keyring opened the object's data key, and at least one key store could not be asked; see the cause.",
      { cause },
    );
  }
  const telling = codes.filter((code) => code !== "no-matching-key");
  if (telling.length === 0) {
    return new S3EncryptionError("no-matching-key", "No keyring holds the object's wrapping key; see the cause.", {
      cause,
    });
  }
  if (telling.every((code) => code === "context-mismatch")) return withCause(contextMismatch(), cause);
  return decryptionFailed(cause);
}

function withCause({ code, message }: S3EncryptionError, cause: unknown): S3EncryptionError {
  return new S3EncryptionError(code, message, { cause });
}
