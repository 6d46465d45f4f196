import { type KeyObject, randomBytes } from "node:crypto";
import type { AlgorithmSuite } from "./algorithm-suites.js";
import type { Envelope } from "./envelope.js";
import { decryptionFailed, S3EncryptionError } from "./errors.js";
import {
  COMMITTING_SUITE_ID,
  deriveCommittedContentKey,
  deriveMessageKeys,
  MESSAGE_ID_LENGTH,
} from "./key-commitment.js";
import { type ContentCipherName, hasCipher } from "./runtime-ciphers.js";

/** Everything the content cipher needs, and nothing that the envelope stores beside it. */
export interface ContentKey {
  /** Cipher, tag and limit. */
  readonly suite: AlgorithmSuite;
  /** Secret: the data key itself, or what the committing suite derives of it. */
  readonly key: KeyObject;
  /** `suite.ivLength` bytes. */
  readonly iv: Uint8Array;
  /** Authenticated with the content; empty but for the committing suite. */
  readonly aad: Uint8Array;
}

/** What an object stores about its content encryption. */
export type ContentHeader =
  | {
      readonly format: "V2";
      /** 12 bytes. */
      readonly iv: Uint8Array;
    }
  | {
      readonly format: "V3";
      /** 28 random bytes. */
      readonly messageId: Uint8Array;
      /** 28 bytes, see `keyCommitment`. */
      readonly commitment: Uint8Array;
    };

// Twelve 0x01 bytes: the derived key is used for one message, so its IV carries nothing (1.3).
const COMMITTED_IV = new Uint8Array(12).fill(0x01);
const NO_AAD = new Uint8Array(0);

/**
 * A new message under the data key: fresh IV or message id, and what to store of it.
 * @throws S3EncryptionError `invalid-argument` unless the suite is one of GCM and the data key has 32 bytes
 */
export function createContentKey(
  suite: AlgorithmSuite,
  dataKey: KeyObject,
): { content: ContentKey; header: ContentHeader } {
  if (suite.cipher === "cbc" || dataKey.symmetricKeySize !== 32) {
    throw new S3EncryptionError("invalid-argument", `Writing needs an AES-GCM suite and a data key of 32 bytes.`);
  }
  if (suite.committing) {
    const messageId = randomBytes(MESSAGE_ID_LENGTH);
    const { contentKey, commitment } = deriveMessageKeys(dataKey, messageId);
    return { content: committedContent(suite, contentKey), header: { format: "V3", messageId, commitment } };
  }
  const iv = randomBytes(suite.ivLength);
  return { content: { suite, key: dataKey, iv, aad: NO_AAD }, header: { format: "V2", iv } };
}

/**
 * The content key of a stored object; verifies the key commitment first (S5).
 * @throws S3EncryptionError `decryption-failed` where it differs, for a data key of another length, and of one that
 *   this runtime has no cipher for (S16)
 */
export function openContentKey(envelope: Envelope, dataKey: KeyObject): ContentKey {
  const { suite } = envelope;
  const length = dataKey.symmetricKeySize;
  if (length === undefined || !suite.dataKeyLengths.includes(length) || !hasCipher(cipherName(suite, length))) {
    throw decryptionFailed();
  }
  if (envelope.format === "V3") {
    return committedContent(suite, deriveCommittedContentKey(dataKey, envelope.messageId, envelope.commitment));
  }
  return { suite, key: dataKey, iv: envelope.iv, aad: NO_AAD };
}

function cipherName({ cipher }: AlgorithmSuite, keyLength: number): ContentCipherName {
  return `aes-${(keyLength * 8) as 128 | 192 | 256}-${cipher}`;
}

function committedContent(suite: AlgorithmSuite, key: KeyObject): ContentKey {
  return { suite, key, iv: COMMITTED_IV, aad: COMMITTING_SUITE_ID };
}
