export { instructionFileToRead, loadKeys, loadVectors, readBody } from "./load-vectors.js";
export { plaintextOf } from "./plaintext.js";
export type {
  InstructionFile,
  KmsAnswer,
  ReadableVector,
  RefusedVector,
  Requirement,
  Switch,
  Vector,
  Writer,
} from "./vector.js";
export type { AesWrappingKey, KmsWrappingKey, RsaWrappingKey, WrappingKey } from "./wrapping-key.js";
