import type { EncryptedDataKey } from "./envelope.js";
import { malformedEnvelope } from "./errors.js";
import { CONTEXT_CONTENT_ALGORITHM } from "./metadata-keys.js";
import { EMPTY_STRING_MAP, parseDescription, parseStringMap, type StringMap } from "./string-map.js";
import { isSameWrapAlgorithm, KMS, type WrapAlgorithm } from "./wrap-algorithms.js";

/** A wrapped key with its description, whose absence means `{}` (3.4 item 8). */
export function readDataKey(
  wrapAlgorithm: WrapAlgorithm,
  ciphertext: Uint8Array,
  descriptionText: string | undefined,
): EncryptedDataKey {
  const description = readDescription(wrapAlgorithm, descriptionText);
  // A kms wrap never holds this entry: a kms+context wrap was relabelled to escape its binding (S9).
  if (isSameWrapAlgorithm(wrapAlgorithm, KMS) && Object.hasOwn(description, CONTEXT_CONTENT_ALGORITHM)) {
    throw malformedEnvelope("The envelope's wrap was relabelled from kms+context to kms.");
  }
  return Object.freeze({ wrapAlgorithm, ciphertext, description });
}

function readDescription({ describedBy }: WrapAlgorithm, text: string | undefined): StringMap {
  if (text === undefined) return EMPTY_STRING_MAP;
  return describedBy === "encryption-context"
    ? parseStringMap(text, "encryption context")
    : parseDescription(text, "material description");
}
