import { createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from "node:crypto";
import { decryptionFailed, S3EncryptionError } from "./errors.js";

/** Bytes of a message id and of a key commitment. */
export const MESSAGE_ID_LENGTH = 28;
export const COMMITMENT_LENGTH = 28;

/** The suite's id as two binary bytes: it starts both HKDF infos and is the content's AAD (1.3). */
export const COMMITTING_SUITE_ID: Uint8Array = Uint8Array.of(0x00, 0x73);

const CONTENT_KEY_LENGTH = 32;
const COMMIT_KEY_INFO = Buffer.concat([COMMITTING_SUITE_ID, Buffer.from("COMMITKEY", "ascii")]);
const DERIVE_KEY_INFO = Buffer.concat([COMMITTING_SUITE_ID, Buffer.from("DERIVEKEY", "ascii")]);

/**
 * The 28-byte commitment to a data key under a message id (1.3).
 * @throws S3EncryptionError `decryption-failed` unless the key has 32 bytes, `malformed-envelope` unless the id has 28
 */
export function keyCommitment(dataKey: KeyObject, messageId: Uint8Array): Uint8Array {
  checkInputs(dataKey, messageId);
  return new Uint8Array(hkdfSync("sha512", dataKey, messageId, COMMIT_KEY_INFO, COMMITMENT_LENGTH));
}

/**
 * The content key of a message being written, 32 bytes.
 * @throws S3EncryptionError `decryption-failed` unless the key has 32 bytes, `malformed-envelope` unless the id has 28
 */
export function deriveContentKey(dataKey: KeyObject, messageId: Uint8Array): KeyObject {
  checkInputs(dataKey, messageId);
  const bytes = new Uint8Array(hkdfSync("sha512", dataKey, messageId, DERIVE_KEY_INFO, CONTENT_KEY_LENGTH));
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

/**
 * The content key of a message being read: the stored commitment is compared in constant time before the key is
 * derived at all (S4, S5); a difference is the uniform `decryption-failed`.
 */
export function deriveCommittedContentKey(
  dataKey: KeyObject,
  messageId: Uint8Array,
  commitment: Uint8Array,
): KeyObject {
  const expected = keyCommitment(dataKey, messageId);
  if (commitment.length !== expected.length || !timingSafeEqual(commitment, expected)) throw decryptionFailed();
  return deriveContentKey(dataKey, messageId);
}

function checkInputs(dataKey: KeyObject, messageId: Uint8Array): void {
  if (dataKey.symmetricKeySize !== CONTENT_KEY_LENGTH) throw decryptionFailed();
  if (messageId.length !== MESSAGE_ID_LENGTH) {
    throw new S3EncryptionError("malformed-envelope", `The message id must be ${MESSAGE_ID_LENGTH} bytes.`);
  }
}
