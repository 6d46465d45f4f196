/** Names of user metadata (without `x-amz-meta-`) and of instruction file members (docs/formats.md 1.1). */
export const WRAPPED_KEY_V1 = "x-amz-key";
export const WRAPPED_KEY_V2 = "x-amz-key-v2";
export const WRAPPED_KEY_V3 = "x-amz-3";
export const IV = "x-amz-iv";
export const MATERIAL_DESCRIPTION = "x-amz-matdesc";
export const WRAP_ALGORITHM = "x-amz-wrap-alg";
export const CONTENT_ALGORITHM = "x-amz-cek-alg";
export const TAG_LENGTH = "x-amz-tag-len";
export const PLAINTEXT_LENGTH = "x-amz-unencrypted-content-length";
export const CONTENT_ALGORITHM_V3 = "x-amz-c";
export const WRAP_ALGORITHM_V3 = "x-amz-w";
export const KEY_COMMITMENT = "x-amz-d";
export const MESSAGE_ID = "x-amz-i";
export const MATERIAL_DESCRIPTION_V3 = "x-amz-m";
export const ENCRYPTION_CONTEXT_V3 = "x-amz-t";
export const INSTRUCTION_FILE_MARKER = "x-amz-crypto-instr-file";
/** Ours: which object an instruction file is of (1.6). A hint for writers; no reader may depend on it. */
export const OBJECT_MARK = "s3ec-of";

/** Fields that only V1 and V2 have; none may stand beside a V3 field (3.4 item 2, S7). */
export const V1_V2_FIELDS: readonly string[] = [
  WRAPPED_KEY_V1,
  WRAPPED_KEY_V2,
  IV,
  MATERIAL_DESCRIPTION,
  WRAP_ALGORITHM,
  CONTENT_ALGORITHM,
];

/** V3 fields that live on the object itself, wherever the wrapped key is (1.6, S5). */
export const V3_CONTENT_FIELDS: readonly string[] = [CONTENT_ALGORITHM_V3, KEY_COMMITMENT, MESSAGE_ID];

/** V3 fields that go with the wrapped key. */
export const V3_KEY_FIELDS: readonly string[] = [
  WRAPPED_KEY_V3,
  WRAP_ALGORITHM_V3,
  MATERIAL_DESCRIPTION_V3,
  ENCRYPTION_CONTEXT_V3,
];

/** Every name of an object's user metadata that is not its owner's; of an instruction file, beside its marker. */
export const ENVELOPE_FIELDS: readonly string[] = Object.freeze([
  ...V1_V2_FIELDS,
  ...V3_CONTENT_FIELDS,
  ...V3_KEY_FIELDS,
  TAG_LENGTH,
  PLAINTEXT_LENGTH,
  OBJECT_MARK,
]);

/** The entry of a KMS context that binds the wrapped key to the content algorithm (1.5). */
export const CONTEXT_CONTENT_ALGORITHM = "aws:x-amz-cek-alg";
/** Written into old descriptions; names a key but is never trusted (S11). */
export const CONTEXT_KMS_KEY_ID = "kms_cmk_id";
