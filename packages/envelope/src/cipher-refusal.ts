import { S3EncryptionError } from "./errors.js";
import { type ContentCipherName, hasCipher } from "./runtime-ciphers.js";

/**
 * Refuses a cipher that this runtime's `node:crypto` lacks, by its name: to be asked where anybody may know which one it is,
 * since it is stored in the clear or of a key that the caller holds (S16).
 *
 * @throws S3EncryptionError `unsupported-operation`
 */
export function assertHasCipher(name: ContentCipherName): void {
  if (hasCipher(name)) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `This runtime's node:crypto has no ${name}: use Node for keys of 24 bytes, or a key of 16 or 32.`,
  );
}
