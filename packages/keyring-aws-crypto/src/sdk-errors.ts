import { decryptionFailed, isError, S3EncryptionError } from "@s3ec/materials";

/** Names of errors that say that a key store was not asked, or refused: trying again, or a permission, can help. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "CredentialsProviderError",
  "DependencyTimeoutException",
  "DisabledException",
  "ExpiredTokenException",
  "IncompleteSignature",
  "InvalidGrantTokenException",
  "InvalidKeyUsageException",
  "InvalidSignatureException",
  "KMSInternalException",
  "KMSInvalidStateException",
  "KeyUnavailableException",
  "NotFoundException",
  "ThrottlingException",
  "TimeoutError",
  "UnrecognizedClientException",
]);
const NETWORK =
  /\b(?:aborted|socket hang up|ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE)\b/;

/** The typed error for one that the SDK threw while it unwrapped. */
export function unwrappingError(error: unknown): S3EncryptionError {
  if (error instanceof S3EncryptionError) return error;
  return isUnavailable(error) ? unavailable("open", error) : decryptionFailed(error);
}

/** The typed error for one that the SDK threw while it wrapped. */
export function wrappingError(error: unknown): S3EncryptionError {
  if (error instanceof S3EncryptionError) return error;
  if (isUnavailable(error)) return unavailable("wrap", error);
  return new S3EncryptionError(
    "invalid-configuration",
    "The keyring or materials manager of the AWS Encryption SDK gave no encryption materials; see the cause.",
    { cause: error },
  );
}

function unavailable(verb: string, cause: unknown): S3EncryptionError {
  const message = `A keyring of the AWS Encryption SDK could not ask its key store to ${verb} the data key; see the cause.`;
  return new S3EncryptionError("key-unavailable", message, { cause });
}

function isUnavailable(error: unknown): boolean {
  if (!isError(error)) return false;
  const code = "code" in error ? String(error.code) : "";
  if (UNAVAILABLE.has(error.name) || NETWORK.test(code) || error.message === "Region is missing") return true;
  // From several errors the SDK makes one, which holds them as text only: "Error #1 \n Name: message ...".
  const headers = [...error.message.matchAll(/Error #\d+ \n (\w+)(.*)/g)];
  return headers.some(([, name = "", text = ""]) => UNAVAILABLE.has(name) || NETWORK.test(text));
}
