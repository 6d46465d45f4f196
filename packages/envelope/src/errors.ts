import { missingCiphers } from "./runtime-ciphers.js";

/** What a caller can do about a refusal; one code, one remedy. */
export type S3EncryptionErrorCode =
  /** The object carries no envelope: it was not written by an S3 encryption client. */
  | "not-encrypted"
  /** The stored envelope breaks a rule of the formats, or was tampered with. */
  | "malformed-envelope"
  /** The commitment policy forbids this suite. */
  | "commitment-policy"
  /** A legacy switch has to be turned on to read this. */
  | "legacy-disabled"
  /** The encryption context or material description is not the one stored. */
  | "context-mismatch"
  /** No configured keyring unwraps this encrypted data key. */
  | "no-matching-key"
  /** The wrapping key exists but its store would not serve it: permission, region, network, PIN. */
  | "key-unavailable"
  /** The data key or the content did not authenticate. Says no more on purpose (S16). */
  | "decryption-failed"
  /** This cannot be done with encrypted objects, or not by this release. */
  | "unsupported-operation"
  /** What the call was given is wrong. */
  | "invalid-argument"
  /** What the client, keyring or manager was built from is wrong. */
  | "invalid-configuration"
  /** More bytes than the suite or the reader's own limit allows. */
  | "content-too-large"
  /** A body or object is not what was said about it: other length, other checksum, other range, replaced meanwhile. */
  | "content-mismatch"
  /** The object is stored, copied or deleted, but not every instruction file beside it: do it again. */
  | "instruction-file-failed"
  /** Whether S3 stored the object cannot be told: look before you put it again. */
  | "outcome-unknown"
  /** Another process is at this very transfer: wait for it, or end it. */
  | "transfer-in-use";

const BRAND = Symbol.for("@s3ec/S3EncryptionError");

/**
 * The one error class of every package. Branded, so that `instanceof` holds across two installed copies.
 * `cause`, where there is one, is not enumerable and never part of `message`.
 */
export class S3EncryptionError extends Error {
  /** Which remedy there is; the message says it in a sentence. */
  readonly code: S3EncryptionErrorCode;

  constructor(code: S3EncryptionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "S3EncryptionError";
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Whether a value is one of these errors, of whichever copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // A subclass keeps ordinary prototype semantics; only the base class is recognised by its brand.
    if (this !== S3EncryptionError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && BRAND in value;
  }
}

/**
 * Whether something thrown is an error, of whatever realm: under Jest, in a `vm` and across copies, `instanceof Error` says
 * no to errors of Node itself. Its `name` and `code` say which one it is.
 */
export function isError(thrown: unknown): thrown is Error & { readonly code?: unknown } {
  if (typeof thrown !== "object" || thrown === null) return false;
  return (
    "name" in thrown && typeof thrown.name === "string" && "message" in thrown && typeof thrown.message === "string"
  );
}

/**
 * The uniform failure from unwrapping on: one text, whatever went wrong (S6, S16), so that whoever can write to the
 * bucket learns nothing from it.
 */
export function decryptionFailed(cause?: unknown): S3EncryptionError {
  return new S3EncryptionError(
    "decryption-failed",
    `Unable to decrypt the object: the wrapping key is not the one it was encrypted with, it was altered, or its instruction file is of another put.${missingCiphers()}`,
    cause === undefined ? undefined : { cause },
  );
}

/** The refusal of everything stored that no client would have written. Names fields, never their values. */
export function malformedEnvelope(message: string): S3EncryptionError {
  return new S3EncryptionError("malformed-envelope", message);
}
