import { type AlgorithmSuite, CBC, suiteOfContentAlgorithm } from "./algorithm-suites.js";
import type { UncommittedEnvelope } from "./envelope.js";
import { malformedEnvelope } from "./errors.js";
import {
  CONTENT_ALGORITHM,
  IV,
  MATERIAL_DESCRIPTION,
  PLAINTEXT_LENGTH,
  TAG_LENGTH,
  WRAP_ALGORITHM,
  WRAPPED_KEY_V1,
  WRAPPED_KEY_V2,
} from "./metadata-keys.js";
import { readDataKey } from "./read-data-key.js";
import { decodeBase64, present, requireAll, type StoredFields } from "./stored-fields.js";
import { AES_ECB, RSA_PKCS1, type WrapAlgorithm } from "./wrap-algorithms.js";

/** What formats V1 and V2 say about the content. */
export type UncommittedContent = Pick<UncommittedEnvelope, "format" | "suite" | "algorithmBinding" | "iv">;

/** Reads the format, the suite and the IV; the wrapped key must be there, though it is not looked at. */
export function readUncommittedContent(fields: StoredFields): UncommittedContent {
  const format = fields.has(WRAPPED_KEY_V1) ? "V1" : "V2";
  // V1 names neither its wrap nor its content algorithm (1.1).
  const strangers = format === "V1" ? present(fields, [WRAPPED_KEY_V2, WRAP_ALGORITHM, CONTENT_ALGORITHM]) : [];
  if (strangers.length > 0) {
    throw malformedEnvelope(`The envelope mixes formats: ${strangers.join(", ")} beside ${WRAPPED_KEY_V1}.`);
  }
  // Every V2 writer names its content algorithm, and only V1's absence means CBC (3.4 item 5).
  requireAll(fields, [wrappedKeyField(format), IV, ...(format === "V2" ? [CONTENT_ALGORITHM] : [])]);
  const storedAlgorithm = fields.get(CONTENT_ALGORITHM);
  const suite = suiteOfContentAlgorithm(storedAlgorithm);
  if (suite === undefined) {
    throw malformedEnvelope(`The envelope names an unknown content algorithm in ${CONTENT_ALGORITHM}.`);
  }
  checkTagLength(fields, suite);
  const iv = decodeBase64(fields, IV);
  if (iv.length !== suite.ivLength) throw malformedEnvelope(`The envelope's ${IV} must be ${suite.ivLength} bytes.`);
  return { format, suite, algorithmBinding: storedAlgorithm ?? CBC.storedName, iv };
}

/** Formats V1 and V2, from the fields of the object or of its instruction file. */
export function readUncommittedEnvelope(
  content: UncommittedContent,
  fields: StoredFields,
  placement: UncommittedEnvelope["placement"],
  wraps: readonly WrapAlgorithm[],
): UncommittedEnvelope {
  const ciphertext = decodeBase64(fields, wrappedKeyField(content.format));
  const wrapAlgorithm = wrapNamed(fields.get(WRAP_ALGORITHM), ciphertext, wraps);
  return Object.freeze({
    placement,
    ...content,
    encryptedDataKey: readDataKey(wrapAlgorithm, ciphertext, fields.get(MATERIAL_DESCRIPTION)),
    ...readStatedLength(fields),
  });
}

/** Whether a re-wrapped data key is for the same content: a V1 object may be re-wrapped in V2's words. */
export function isSameContent(a: UncommittedContent, b: UncommittedContent): boolean {
  return a.suite === b.suite && Buffer.compare(a.iv, b.iv) === 0;
}

/** `x-amz-unencrypted-content-length`, where it is a number; informational, so anything else is no error. */
export function readStatedLength(fields: StoredFields): { statedPlaintextLength?: number } {
  const stated = fields.get(PLAINTEXT_LENGTH);
  return stated !== undefined && /^\d{1,15}$/.test(stated) ? { statedPlaintextLength: Number(stated) } : {};
}

function wrappedKeyField(format: UncommittedContent["format"]): string {
  return format === "V1" ? WRAPPED_KEY_V1 : WRAPPED_KEY_V2;
}

/** V1 and some V2 objects name no wrap: their key kind shows in the length, and the keyring must agree (H14). */
function wrapNamed(name: string | undefined, ciphertext: Uint8Array, wraps: readonly WrapAlgorithm[]): WrapAlgorithm {
  if (name === undefined) return ciphertext.length <= 48 ? AES_ECB : RSA_PKCS1;
  const wrap = wraps.find((entry) => entry.v2Name === name);
  if (wrap === undefined) throw malformedEnvelope(`The envelope names an unknown wrap in ${WRAP_ALGORITHM}.`);
  return wrap;
}

/** Never used to choose a tag length (S15); where stated it must be what every client writes (H6). */
function checkTagLength(fields: StoredFields, suite: AlgorithmSuite): void {
  const stated = fields.get(TAG_LENGTH);
  const expected = suite.cipher === "gcm" ? "128" : "0";
  if (stated !== undefined && stated !== expected) {
    throw malformedEnvelope(`The envelope's ${TAG_LENGTH} must be ${expected} for ${suite.name}.`);
  }
}
