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
  isSameStringMap,
  isSameWrapAlgorithm,
  keyProvider,
  S3EncryptionError,
  serializeEncryptionContext,
  stringMap,
} from "@s3ec/envelope";
export { AES_KEY_INFO_LENGTH, aesKeyInfo, ivOfAesKeyInfo } from "./aes-key-info.js";
export type { ExpectedDataKey } from "./bound-data-key.js";
export { bindDataKey, expectedDataKey, unbindDataKey } from "./bound-data-key.js";
export type { CachingMaterialsManagerOptions } from "./caching-manager.js";
export { CachingMaterialsManager } from "./caching-manager.js";
export { createDataKey, importDataKey, lendDataKey } from "./data-key.js";
export { contextMismatch, DefaultMaterialsManager } from "./default-manager.js";
export type { DescribableKey, DescribedKey } from "./described-keys.js";
export {
  describedKeys,
  descriptionToStore,
  keyDescribedBy,
  materialDescription,
} from "./described-keys.js";
export type { Keyring } from "./keyring.js";
export type { DecryptionMaterials, EncryptionMaterials, WithDataKey } from "./materials.js";
export { withDataKey, withEncryptedDataKey } from "./materials.js";
export type { DecryptionRequest, EncryptionRequest, MaterialsManager } from "./materials-manager.js";
export type {
  MessageFormat,
  MessageHeader,
  MessageRange,
  MessageToOpen,
  MessageToSeal,
  OpenedMessage,
  SealedMessage,
} from "./message-format.js";
export type { MessageKey, MessageKeyName, NameableKey } from "./message-keys.js";
export { MessageKeys } from "./message-keys.js";
export type { RequiredContextManagerOptions } from "./required-context-manager.js";
export { RequiredContextManager } from "./required-context-manager.js";
export { CONTEXT_PUBLIC_KEY } from "./signing-key.js";
export { withWrappedDataKey } from "./wrapped-data-key.js";
