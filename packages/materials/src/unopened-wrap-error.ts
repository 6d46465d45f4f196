import { S3EncryptionError } from "@s3ec/envelope";

/**
 * A new keyring does not open the wrap that it made, so that nothing was stored: every object would be refused alike. Has the
 * code of what went wrong, which is its `cause`; `decryption-failed` where another data key came out.
 */
export class UnopenedWrapError extends S3EncryptionError {
  constructor(cause: S3EncryptionError | undefined) {
    const reason = cause === undefined ? "" : ` ${cause.message}`;
    super(
      cause?.code ?? "decryption-failed",
      `Nothing was changed: the new keyring does not open the wrap that it made. Give it the private key or the right to decrypt; where it has none because the key is somebody else's, say so (verify: "none").${reason}`,
      cause === undefined ? undefined : { cause },
    );
  }
}
