export type { AlgorithmSuite, AlgorithmSuiteName } from "./algorithm-suites.js";
export { ALGORITHM_SUITES, algorithmSuite, CBC, COMMITTING_GCM, GCM } from "./algorithm-suites.js";
export type { AnnotatedFacts, AnnotationToWrite } from "./annotation.js";
export {
  ANNOTATION_PREFIX,
  annotatedFacts,
  annotationName,
  DESCRIBING_ANNOTATION,
  describingAnew,
  describingText,
  MOVING_ANNOTATION,
  recipientOfAnnotation,
} from "./annotation.js";
export { callersStringMap } from "./callers-string-map.js";
export { assertHasCipher } from "./cipher-refusal.js";
export {
  decryptContent,
  decryptContentRange,
  decryptContentUnverified,
  encryptContent,
} from "./content-cipher.js";
export type { ContentHeader, ContentKey } from "./content-key.js";
export { createContentKey, openContentKey } from "./content-key.js";
export { ciphertextLength, plaintextLength } from "./content-length.js";
export { ContentParts, canSealInParts } from "./content-parts.js";
export type { ContentProof } from "./content-proof.js";
export { contentProof, PROOF_PIECE_LENGTH } from "./content-proof.js";
export type { AlignedRange, ByteRange } from "./content-range.js";
export { alignRange, parseByteRange } from "./content-range.js";
export { serializeEncryptionContext } from "./encryption-context.js";
export type { CommittedEnvelope, EncryptedDataKey, Envelope, EnvelopeFields, UncommittedEnvelope } from "./envelope.js";
export type { S3EncryptionErrorCode } from "./errors.js";
export { decryptionFailed, isError, malformedEnvelope, S3EncryptionError } from "./errors.js";
export { fileSentence } from "./file-sentence.js";
export { GatheredBytes, readAtMost } from "./gathered-bytes.js";
export type { GcmParameters } from "./gcm/gcm-parameters.js";
export type { Piece } from "./gcm/gcm-pieces.js";
export { isSamePiece } from "./gcm/gcm-pieces.js";
export type { ProvenContent } from "./gcm/gcm-reading.js";
export type { SealedPiece } from "./gcm/gcm-writing.js";
export { decodeHeaderText } from "./header-text.js";
export { deriveContentKey, keyCommitment } from "./key-commitment.js";
export type { OptionNames } from "./known-options.js";
export { assertKnownOptions, nearestName } from "./known-options.js";
export { CONTEXT_CONTENT_ALGORITHM, CONTEXT_KMS_KEY_ID, ENVELOPE_FIELDS } from "./metadata-keys.js";
export type { Metadata } from "./object-mark.js";
export { fileMark, holdsWrappedKey, isReservedMetadata, markedFile, newFile, objectMark } from "./object-mark.js";
export { PieceSeal } from "./piece-seal.js";
export type { CommitmentPolicy, DecryptionPolicy } from "./policy.js";
export {
  assertCommitmentAllows,
  assertMayDecrypt,
  assertMayEncrypt,
  assertMayReadContent,
  assertMayUnwrap,
  COMMITMENT_POLICIES,
} from "./policy.js";
export type { BesideInstructionFile, Classification, InstructionFile, ReadEnvelopeOptions } from "./read-envelope.js";
export {
  classifyEnvelope,
  completeFromBoth,
  holdsEnvelope,
  isInstructionFile,
  readWrapBeside,
} from "./read-envelope.js";
export type { ReplacedFields } from "./replace-wrap.js";
export { replaceInMetadata, wrapBeside, wrapInAnnotation } from "./replace-wrap.js";
export type { ContentCipherName } from "./runtime-ciphers.js";
export { printable, quoted, quotedList } from "./shown-text.js";
export { DOTNET_V1_SUFFIX, MAX_INSTRUCTION_FILE_LENGTH } from "./stored-fields.js";
export type { StringMap } from "./string-map.js";
export {
  EMPTY_STRING_MAP,
  formatStringMap,
  isSameStringMap,
  parseStringMap,
  stringMap,
  unknownDescriptionText,
} from "./string-map.js";
export type { RereadContent, UnprovenContent, UnprovenPiece } from "./unproven-content.js";
export { unprovenContent } from "./unproven-content.js";
export { uploadStateKey } from "./upload-state-key.js";
export type { WrapAlgorithm } from "./wrap-algorithms.js";
export {
  AES_ECB,
  AES_GCM,
  AES_WRAP,
  ANY_KEY_PROVIDER,
  AWS_KMS_PROVIDER,
  canHoldWrap,
  defineWrapAlgorithm,
  isSameWrapAlgorithm,
  KMS,
  KMS_CONTEXT,
  keyProvider,
  RSA_OAEP_SHA1,
  RSA_OAEP_SHA256,
  RSA_PKCS1,
  WRAP_ALGORITHMS,
} from "./wrap-algorithms.js";
export type { EnvelopeToWrite, InstructionFileToWrite, WrapPlacement } from "./write-envelope.js";
export { DEFAULT_INSTRUCTION_FILE_SUFFIX, instructionFileSuffix, writeEnvelope } from "./write-envelope.js";
export type { WrittenFields } from "./written-fields.js";
