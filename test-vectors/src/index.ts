export type { KeyFile } from "./key-files.js";
export { keyFilesFolder, loadKeyFiles, readKeyFile } from "./key-files.js";
export { loadMessageKeyrings, loadMessages, readMessage } from "./load-messages.js";
export { instructionFileToRead, loadKeys, loadVectors, readBody } from "./load-vectors.js";
export type {
  MessageFailure,
  MessageKeyring,
  MessageLanguage,
  MessageRequirement,
  MessageSwitch,
  MessageVector,
  MessageWriter,
  ReadableMessage,
  RefusedMessage,
  StoredMessage,
} from "./message-vector.js";
export type { MixedKind, MixedObject } from "./mixed-bucket.js";
export { MIXED_MATERIAL, mixedBucket } from "./mixed-bucket.js";
export { plaintextOf } from "./plaintext.js";
export type { ProductObject } from "./products.js";
export { loadProductObjects, readProductObject } from "./products.js";
export type {
  InstructionFile,
  KmsAnswer,
  ReadableVector,
  RefusedVector,
  Requirement,
  StoredObject,
  Switch,
  Vector,
  Writer,
} from "./vector.js";
export type { AesWrappingKey, KmsWrappingKey, RsaWrappingKey, WrappingKey } from "./wrapping-key.js";
