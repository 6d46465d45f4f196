import { CONTEXT_CONTENT_ALGORITHM, CONTEXT_KMS_KEY_ID, EMPTY_STRING_MAP, KMS } from "@s3ec/envelope";
import { contextMismatch, isSameStringMap, S3EncryptionError, type StringMap, type Wrap } from "@s3ec/materials";
import { type OpenBlob, own, without } from "./context-wrap.js";

/** The legacy `kms` wrap, read only: bound to no content algorithm. */
export function legacyWrap(open: OpenBlob): Wrap {
  return {
    algorithm: KMS,
    unwrap: ({ ciphertext, description }, _expected, { encryptionContext }) =>
      open(legacyContext(encryptionContext, description), ciphertext),
  };
}

/**
 * The context to open a legacy `kms` wrap with: whatever is stored, verbatim (1.5).
 *
 * A caller that names no context accepts what is stored, which old writers and Amazon SES fill on their own (H13, H25).
 */
function legacyContext(callers: StringMap, stored: StringMap): StringMap {
  // A kms+context object relabelled, to get around its binding and its context check (S9).
  if (own(stored, CONTEXT_CONTENT_ALGORITHM) !== undefined) {
    throw new S3EncryptionError(
      "malformed-envelope",
      "The object says kms but its description is that of kms+context: it was altered.",
    );
  }
  if (isSameStringMap(callers, EMPTY_STRING_MAP)) return stored;
  if (!isSameStringMap(without(stored, CONTEXT_KMS_KEY_ID), callers)) throw contextMismatch();
  return stored;
}
