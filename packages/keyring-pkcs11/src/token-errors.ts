import { isError, S3EncryptionError } from "@s3ec/materials";

/** After these the session, the login or the key handles are gone, and a new connection may bring them back. */
const LOST: ReadonlySet<string> = new Set([
  "CKR_CRYPTOKI_NOT_INITIALIZED",
  "CKR_DEVICE_REMOVED",
  "CKR_KEY_HANDLE_INVALID",
  // What SoftHSM and others answer for a private key once the user is logged out.
  "CKR_OBJECT_HANDLE_INVALID",
  "CKR_OPERATION_NOT_INITIALIZED",
  "CKR_SESSION_CLOSED",
  "CKR_SESSION_HANDLE_INVALID",
  "CKR_SLOT_ID_INVALID",
  "CKR_TOKEN_NOT_PRESENT",
  "CKR_TOKEN_NOT_RECOGNIZED",
  "CKR_USER_NOT_LOGGED_IN",
]);

/** After these the token could not work at all, whatever bytes it was given. */
const TROUBLE: ReadonlySet<string> = new Set(["CKR_DEVICE_ERROR", "CKR_DEVICE_MEMORY", "CKR_HOST_MEMORY"]);

const UNUSABLE_MECHANISM: ReadonlySet<string> = new Set([
  "CKR_ARGUMENTS_BAD",
  "CKR_FUNCTION_NOT_SUPPORTED",
  "CKR_MECHANISM_INVALID",
  "CKR_MECHANISM_PARAM_INVALID",
]);
const UNUSABLE_KEY: ReadonlySet<string> = new Set([
  "CKR_KEY_FUNCTION_NOT_PERMITTED",
  "CKR_KEY_SIZE_RANGE",
  "CKR_KEY_TYPE_INCONSISTENT",
]);

/** The name of the return value that a call failed with: `CKR_DEVICE_REMOVED`; empty for an error of another kind. */
export function returnValue(error: unknown): string {
  return (isError(error) && /CKR_\w+/.exec(error.message)?.[0]) || "";
}

/** Whether a new connection may do what this one could not. */
export function isLost(error: unknown): boolean {
  return LOST.has(returnValue(error));
}

/**
 * Whether a decryption failed for what was decrypted. Tokens use a dozen return values for that, SoftHSM the most
 * general one, so it is everything that does not plainly say otherwise.
 */
export function isRefusedCiphertext(error: unknown): boolean {
  const name = returnValue(error);
  return name !== "" && !LOST.has(name) && !TROUBLE.has(name);
}

/** The typed error of an operation that could not even begin: it never depends on stored bytes. */
export function cannotBegin(error: unknown, operation: string): unknown {
  const name = returnValue(error);
  if (UNUSABLE_MECHANISM.has(name)) {
    return new S3EncryptionError(
      "invalid-configuration",
      `The token does not offer ${operation} (${name}), which this key's wrap needs: use a token or a kind of key that it serves.`,
    );
  }
  if (UNUSABLE_KEY.has(name)) {
    return new S3EncryptionError(
      "invalid-configuration",
      `The token's key may not be used for ${operation} (${name}): it needs CKA_DECRYPT, and an AES key CKA_ENCRYPT too.`,
    );
  }
  return error;
}

/** The typed error of a failed call. Without a cause: the return value's name is all that there is to know. */
export function tokenError(error: unknown): unknown {
  const name = returnValue(error);
  if (error instanceof S3EncryptionError || name === "") return error;
  return keyUnavailable(`The token could not be used (${name}): check that it is present and its module works.`);
}

/** The typed error of a failed login, which never holds the PIN. */
export function loginFailed(name: string): S3EncryptionError {
  if (name === "CKR_PIN_LOCKED") return keyUnavailable("The token's PIN is locked (CKR_PIN_LOCKED): unlock it first.");
  return keyUnavailable(
    isRefusedPin(name)
      ? `The token does not accept the PIN (${name}). It is not tried again by this keyring, so that it is not locked: open another one with the right PIN.`
      : `Logging into the token failed (${name || "without a return value"}): check that it is present, initialized and free.`,
  );
}

/** Whether trying the same PIN again would only bring the token closer to locking it. */
export function isRefusedPin(name: string): boolean {
  return name.startsWith("CKR_PIN_") || name === "CKR_USER_PIN_NOT_INITIALIZED";
}

export function keyUnavailable(message: string): S3EncryptionError {
  return new S3EncryptionError("key-unavailable", message);
}
