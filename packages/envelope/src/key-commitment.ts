import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import { decryptionFailed, S3EncryptionError } from "./errors.js";

/** Bytes of a message id and of a key commitment. */
export const MESSAGE_ID_LENGTH = 28;
export const COMMITMENT_LENGTH = 28;

/** The suite's id as two binary bytes: it starts both HKDF infos and is the content's AAD (1.3). */
export const COMMITTING_SUITE_ID: Uint8Array = Uint8Array.of(0x00, 0x73);

const CONTENT_KEY_LENGTH = 32;
/** What HKDF expands by, with the number of the one block that is asked for behind it. */
const [COMMIT_KEY_INFO, DERIVE_KEY_INFO] = ["COMMITKEY", "DERIVEKEY"].map((label) =>
  Buffer.concat([COMMITTING_SUITE_ID, Buffer.from(label, "ascii"), Uint8Array.of(1)]),
) as [Buffer, Buffer];

/** HKDF's second step: 64 bytes for one info. */
type Expand = (info: Uint8Array) => Buffer;

/**
 * HKDF-SHA512 (RFC 5869) of a data key under a message id. In its two steps, since a message has two keys of one extraction:
 * `hkdfSync` repeats it for each, and takes longer for both than a small object's content.
 */
function extracted<Keys>(dataKey: KeyObject, messageId: Uint8Array, use: (expand: Expand) => Keys): Keys {
  checkInputs(dataKey, messageId);
  const bytes = dataKey.export();
  const secret = createHmac("sha512", messageId).update(bytes).digest();
  bytes.fill(0);
  try {
    return use((info) => createHmac("sha512", secret).update(info).digest());
  } finally {
    secret.fill(0);
  }
}

function commitmentOf(expand: Expand): Uint8Array {
  return new Uint8Array(expand(COMMIT_KEY_INFO).subarray(0, COMMITMENT_LENGTH));
}

function contentKeyOf(expand: Expand): KeyObject {
  const bytes = expand(DERIVE_KEY_INFO);
  try {
    return createSecretKey(bytes.subarray(0, CONTENT_KEY_LENGTH));
  } finally {
    bytes.fill(0);
  }
}

/**
 * The 28-byte commitment to a data key under a message id (1.3).
 * @throws S3EncryptionError `decryption-failed` unless the key has 32 bytes, `malformed-envelope` unless the id has 28
 */
export function keyCommitment(dataKey: KeyObject, messageId: Uint8Array): Uint8Array {
  return extracted(dataKey, messageId, commitmentOf);
}

/**
 * The content key of a message being written, 32 bytes.
 * @throws S3EncryptionError `decryption-failed` unless the key has 32 bytes, `malformed-envelope` unless the id has 28
 */
export function deriveContentKey(dataKey: KeyObject, messageId: Uint8Array): KeyObject {
  return extracted(dataKey, messageId, contentKeyOf);
}

/** Both, of a message being written. */
export function deriveMessageKeys(
  dataKey: KeyObject,
  messageId: Uint8Array,
): { readonly contentKey: KeyObject; readonly commitment: Uint8Array } {
  return extracted(dataKey, messageId, (expand) => ({
    contentKey: contentKeyOf(expand),
    commitment: commitmentOf(expand),
  }));
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
  return extracted(dataKey, messageId, (expand) => {
    const expected = commitmentOf(expand);
    if (commitment.length !== expected.length || !timingSafeEqual(commitment, expected)) throw decryptionFailed();
    return contentKeyOf(expand);
  });
}

function checkInputs(dataKey: KeyObject, messageId: Uint8Array): void {
  if (dataKey.symmetricKeySize !== CONTENT_KEY_LENGTH) throw decryptionFailed();
  if (messageId.length !== MESSAGE_ID_LENGTH) {
    throw new S3EncryptionError("malformed-envelope", `The message id must be ${MESSAGE_ID_LENGTH} bytes.`);
  }
}
