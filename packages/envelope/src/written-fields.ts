import { type AlgorithmSuite, COMMITTING_GCM } from "./algorithm-suites.js";
import type { CommittedEnvelope, EncryptedDataKey } from "./envelope.js";
import { S3EncryptionError } from "./errors.js";
import {
  CONTENT_ALGORITHM,
  CONTENT_ALGORITHM_V3,
  ENCRYPTION_CONTEXT_V3,
  IV,
  KEY_COMMITMENT,
  MATERIAL_DESCRIPTION,
  MATERIAL_DESCRIPTION_V3,
  MESSAGE_ID,
  TAG_LENGTH,
  WRAP_ALGORITHM,
  WRAP_ALGORITHM_V3,
  WRAPPED_KEY_V2,
  WRAPPED_KEY_V3,
} from "./metadata-keys.js";
import { formatStringMap } from "./string-map.js";
import type { WrapAlgorithm } from "./wrap-algorithms.js";

/** Envelope members as they are stored, by name. */
export type WrittenFields = Readonly<Record<string, string>>;

/** What format V3 keeps on the object itself. */
export function committedFields({
  commitment,
  messageId,
}: Pick<CommittedEnvelope, "commitment" | "messageId">): WrittenFields {
  return {
    [CONTENT_ALGORITHM_V3]: COMMITTING_GCM.storedName,
    [KEY_COMMITMENT]: base64(commitment),
    [MESSAGE_ID]: base64(messageId),
  };
}

/** What format V2 says of its content, wherever it stands. CBC has no tag, and no tag length (H6). */
export function uncommittedFields(
  suite: AlgorithmSuite,
  iv: Uint8Array,
  name: string = suite.storedName,
): WrittenFields {
  return {
    [IV]: base64(iv),
    [CONTENT_ALGORITHM]: name,
    ...(suite.cipher === "gcm" ? { [TAG_LENGTH]: "128" } : {}),
  };
}

/**
 * A wrapped key in the words of V3.
 * @throws S3EncryptionError `invalid-configuration` for a wrap that the format does not hold, or an empty one
 */
export function committedKeyFields({ wrapAlgorithm, ciphertext, description }: EncryptedDataKey): WrittenFields {
  if (wrapAlgorithm.v3Code === null) throw notWritable(wrapAlgorithm);
  const name = wrapAlgorithm.describedBy === "encryption-context" ? ENCRYPTION_CONTEXT_V3 : MATERIAL_DESCRIPTION_V3;
  return {
    [WRAPPED_KEY_V3]: wrappedKey(ciphertext),
    [WRAP_ALGORITHM_V3]: wrapAlgorithm.v3Code,
    ...(Object.keys(description).length > 0 ? { [name]: formatStringMap(description) } : {}),
  };
}

/**
 * A wrapped key in the words of V2.
 * @throws S3EncryptionError `invalid-configuration` for a legacy wrap, one that the format does not hold, or an empty one
 */
export function uncommittedKeyFields({ wrapAlgorithm, ciphertext, description }: EncryptedDataKey): WrittenFields {
  if (wrapAlgorithm.legacy || wrapAlgorithm.v2Name === null) throw notWritable(wrapAlgorithm);
  return {
    [WRAPPED_KEY_V2]: wrappedKey(ciphertext),
    [WRAP_ALGORITHM]: wrapAlgorithm.v2Name,
    // Spec and several readers want it even when empty (H11).
    [MATERIAL_DESCRIPTION]: formatStringMap(description),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** Readers take an empty value for an absent one (H3), so nobody could open such an object. */
function wrappedKey(ciphertext: Uint8Array): string {
  if (ciphertext.length === 0) {
    throw new S3EncryptionError("invalid-configuration", "The keyring gave an empty encrypted data key.");
  }
  return base64(ciphertext);
}

function notWritable({ name }: WrapAlgorithm): S3EncryptionError {
  return new S3EncryptionError("invalid-configuration", `The wrap ${name} can be read but never written.`);
}
