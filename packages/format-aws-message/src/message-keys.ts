import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";
import { decryptionFailed } from "@s3ec/materials";
import type { ParsedHeader } from "./header.js";
import { IV_LENGTH, type MessageSuite, TAG_LENGTH } from "./message-suites.js";

const COMMIT_KEY_INFO = Buffer.from("COMMITKEY");
const DERIVE_KEY_LABEL = Buffer.from("DERIVEKEY");
const COMMITMENT_LENGTH = 32;
/** The header of a committing suite is authenticated under an IV of zeros: frames count from 1. */
const HEADER_IV = new Uint8Array(IV_LENGTH);

/** `aes-128-gcm` to `aes-256-gcm`, as the suite says. */
export function gcmName({ keyLength }: MessageSuite): "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" {
  return keyLength === 16 ? "aes-128-gcm" : keyLength === 24 ? "aes-192-gcm" : "aes-256-gcm";
}

/** The key commitment of a message: `HKDF-SHA-512(data key, salt = message id, info = "COMMITKEY")`, 32 bytes. */
export function messageCommitment(dataKey: KeyObject, messageId: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha512", dataKey, messageId, COMMIT_KEY_INFO, COMMITMENT_LENGTH));
}

/** The content key of a message, by its suite's derivation. */
export function messageKey(suite: MessageSuite, dataKey: KeyObject, messageId: Uint8Array): KeyObject {
  const { derivation, keyLength } = suite;
  if (derivation.kind === "identity") return dataKey;
  const id = Buffer.alloc(2);
  id.writeUInt16BE(suite.id);
  const bytes = new Uint8Array(
    derivation.kind === "committing-hkdf"
      ? hkdfSync("sha512", dataKey, messageId, Buffer.concat([id, DERIVE_KEY_LABEL]), keyLength)
      : hkdfSync(derivation.hash, dataKey, new Uint8Array(0), Buffer.concat([id, messageId]), keyLength),
  );
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** The tag of a header that is being written. */
export function headerTag(suite: MessageSuite, key: KeyObject, header: Uint8Array): Uint8Array {
  const cipher = createCipheriv(gcmName(suite), key, HEADER_IV, { authTagLength: TAG_LENGTH });
  cipher.setAAD(header);
  cipher.final();
  return cipher.getAuthTag();
}

/**
 * The content key of a message that is being read: the commitment is compared, in constant time, before the key is
 * derived (S5), and the header's tag is verified with it. One uniform failure for all (S16).
 */
export function openMessageKey(header: ParsedHeader, dataKey: KeyObject): KeyObject {
  const { suite, messageId, commitment } = header;
  if (dataKey.symmetricKeySize !== suite.keyLength) throw decryptionFailed();
  if (suite.committing) {
    const expected = messageCommitment(dataKey, messageId);
    if (commitment?.length !== expected.length || !timingSafeEqual(commitment, expected)) throw decryptionFailed();
  }
  const key = messageKey(suite, dataKey, messageId);
  const decipher = createDecipheriv(gcmName(suite), key, header.iv, { authTagLength: TAG_LENGTH });
  decipher.setAAD(header.authenticated);
  decipher.setAuthTag(header.tag);
  try {
    decipher.final();
  } catch {
    throw decryptionFailed();
  }
  return key;
}
