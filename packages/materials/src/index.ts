export type {
  AlgorithmSuite,
  CommitmentPolicy,
  EncryptedDataKey,
  OptionNames,
  S3EncryptionErrorCode,
  StringMap,
  WrapAlgorithm,
} from "@s3ec/envelope";
export {
  ANY_KEY_PROVIDER,
  assertKnownOptions,
  callersStringMap,
  decryptionFailed,
  defineWrapAlgorithm,
  isError,
  isSameStringMap,
  isSameWrapAlgorithm,
  keyProvider,
  S3EncryptionError,
  serializeEncryptionContext,
  stringMap,
} from "@s3ec/envelope";
export type { AesGcm } from "./aes-gcm-wraps.js";
export { aesGcmNamedWrap, aesGcmWrap } from "./aes-gcm-wraps.js";
export type { ExpectedDataKey } from "./bound-data-key.js";
export type { FileBounds, FileProblem } from "./bounded-file.js";
export { readBoundedFile } from "./bounded-file.js";
export type { ByObjectManagerOptions, ObjectRule } from "./by-object-manager.js";
export { ByObjectManager } from "./by-object-manager.js";
export type { CachingMaterialsManagerOptions } from "./caching-manager.js";
export { CachingMaterialsManager } from "./caching-manager.js";
export { createDataKey, importDataKey, lendDataKey } from "./data-key.js";
export { contextMismatch, DefaultMaterialsManager } from "./default-manager.js";
export type { KeyringDefinition } from "./define-keyring.js";
export { defineKeyring } from "./define-keyring.js";
export type { BlindMatch, Keyring } from "./keyring.js";
export { ManagerAround } from "./manager-around.js";
export type { DecryptionMaterials, EncryptionMaterials, WithDataKey } from "./materials.js";
export { withDataKey, withEncryptedDataKey } from "./materials.js";
export type { DecryptionRequest, EncryptionRequest, MaterialsManager, RequestedObject } from "./materials-manager.js";
export type { MessageKeyName } from "./message-keys.js";
export { keyringName } from "./name-of-keyring.js";
export type {
  Inspection,
  ObjectFormat,
  ObjectHead,
  ObjectInParts,
  ObjectToInspect,
  ObjectToOpen,
  ObjectToResume,
  ObjectToSeal,
  ObjectToSealInParts,
  Recognition,
  SealedObject,
} from "./object-format.js";
export type { ObjectRequest } from "./object-request.js";
export type { OpenedObject, OpenedRange } from "./opened-object.js";
export type { NamedWrap, RawWrap, SelectableKey } from "./raw-keys.js";
export { RawKeys } from "./raw-keys.js";
export type { KeyringPart, ReencryptedDataKey, ReencryptionRequest } from "./reencryption.js";
export { reencrypted } from "./reencryption.js";
export type { RequiredContextManagerOptions } from "./required-context-manager.js";
export { RequiredContextManager } from "./required-context-manager.js";
export type { RsaOaep } from "./rsa-oaep-wraps.js";
export { rsaOaepNamedWrap, rsaOaepWrap } from "./rsa-oaep-wraps.js";
export type {
  AnnotationReader,
  ObjectKind,
  SiblingAnnotation,
  SiblingFile,
  SiblingReader,
  SiblingRules,
  Siblings,
  SiblingText,
} from "./siblings.js";
export { NO_SIBLINGS } from "./siblings.js";
export { CONTEXT_PUBLIC_KEY } from "./signing-key.js";
export { UnopenedWrapError } from "./unopened-wrap-error.js";
export type { Awaitable, GeneratedDataKey, Wrap, WrappedDataKey } from "./wrap.js";
export type { WrapKeyringOptions } from "./wrap-keyring.js";
export { WrapKeyring } from "./wrap-keyring.js";
export type {
  HeldDataKey,
  LaidOutObject,
  LaidOutWrap,
  ObjectWithWrap,
  StoredWrap,
  WrapPlace,
  WrapRequest,
  WrapRules,
} from "./wrap-rules.js";
export { withWrappedDataKey } from "./wrapped-data-key.js";
