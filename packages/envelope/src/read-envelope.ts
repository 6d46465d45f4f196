import { type AlgorithmSuite, CBC, COMMITTING_GCM, suiteOfContentAlgorithm } from "./algorithm-suites.js";
import type { CommittedEnvelope, EncryptedDataKey, Envelope, UncommittedEnvelope } from "./envelope.js";
import { S3EncryptionError } from "./errors.js";
import { COMMITMENT_LENGTH, MESSAGE_ID_LENGTH } from "./key-commitment.js";
import {
  CONTENT_ALGORITHM,
  CONTENT_ALGORITHM_V3,
  CONTEXT_CONTENT_ALGORITHM,
  ENCRYPTION_CONTEXT_V3,
  IV,
  KEY_COMMITMENT,
  MATERIAL_DESCRIPTION,
  MATERIAL_DESCRIPTION_V3,
  MESSAGE_ID,
  PLAINTEXT_LENGTH,
  TAG_LENGTH,
  V1_V2_FIELDS,
  V3_CONTENT_FIELDS,
  V3_KEY_FIELDS,
  WRAP_ALGORITHM,
  WRAP_ALGORITHM_V3,
  WRAPPED_KEY_V1,
  WRAPPED_KEY_V2,
  WRAPPED_KEY_V3,
} from "./metadata-keys.js";
import {
  decodeBase64,
  fieldsOfInstructionFile,
  fieldsOfMetadata,
  present,
  type StoredFields,
} from "./stored-fields.js";
import { EMPTY_STRING_MAP, parseStringMap } from "./string-map.js";
import { AES_ECB, KMS, RSA_PKCS1, WRAP_ALGORITHMS, type WrapAlgorithm } from "./wrap-algorithms.js";

/** An instruction file as it was fetched: the text, and the suffix of the key it was found under. */
export interface InstructionFile {
  readonly text: string;
  readonly suffix: string;
}

/** What an object's metadata turned out to be: a whole envelope, or one whose wrapped key is in an instruction file. */
export type Classification =
  | { readonly placement: "metadata"; readonly envelope: Envelope }
  | { readonly placement: "instruction-file"; readonly complete: (file: InstructionFile) => Envelope };

export interface ReadEnvelopeOptions {
  /** Wraps beyond the official ones, as the configured keyring declares them. */
  readonly wrapAlgorithms?: readonly WrapAlgorithm[];
  /** Take the wrapped key from an instruction file although the metadata holds one too (H17). */
  readonly preferInstructionFile?: boolean;
}

/**
 * Decides what an object's user metadata says, by docs/formats.md 3.4: exactly one of the formats, or a refusal
 * (`malformed-envelope`). Pure: reads nothing, uses no key.
 */
export function classifyEnvelope(
  metadata: Readonly<Record<string, string>>,
  options: ReadEnvelopeOptions = {},
): Classification {
  const fields = fieldsOfMetadata(metadata);
  const wraps = [...WRAP_ALGORITHMS, ...(options.wrapAlgorithms ?? [])];
  const v3Content = present(fields, V3_CONTENT_FIELDS);
  const v3Key = present(fields, V3_KEY_FIELDS);
  const uncommitted = present(fields, V1_V2_FIELDS);
  if (v3Content.length + v3Key.length > 0) {
    refuseBeside(uncommitted, [...v3Content, ...v3Key]);
    requireAll(fields, V3_CONTENT_FIELDS);
    if (v3Key.length > 0) requireAll(fields, [WRAPPED_KEY_V3, WRAP_ALGORITHM_V3]);
    if (v3Key.length === 0 || options.preferInstructionFile === true) {
      return { placement: "instruction-file", complete: (file) => completeCommitted(fields, file, wraps) };
    }
    return { placement: "metadata", envelope: readCommitted(fields, fields, "metadata", wraps) };
  }
  if (uncommitted.length > 0) {
    const envelope = readUncommitted(fields, "metadata", wraps);
    if (options.preferInstructionFile !== true) return { placement: "metadata", envelope };
  }
  return { placement: "instruction-file", complete: (file) => completeUncommitted(fields, file, wraps) };
}

function completeCommitted(
  content: StoredFields,
  { text, suffix }: InstructionFile,
  wraps: readonly WrapAlgorithm[],
): CommittedEnvelope {
  const file = fieldsOfInstructionFile(text, suffix);
  // The commitment is worth something only because it does not travel with the wrapped key (S5).
  const misplaced = [...present(file, V3_CONTENT_FIELDS), ...present(file, V1_V2_FIELDS)];
  if (misplaced.length > 0) throw malformed(`The instruction file holds ${misplaced.join(", ")}, which it must not.`);
  requireAll(file, [WRAPPED_KEY_V3, WRAP_ALGORITHM_V3]);
  return readCommitted(content, file, "instruction-file", wraps);
}

function completeUncommitted(
  metadata: StoredFields,
  { text, suffix }: InstructionFile,
  wraps: readonly WrapAlgorithm[],
): UncommittedEnvelope {
  const file = fieldsOfInstructionFile(text, suffix);
  const v3 = [...present(file, V3_CONTENT_FIELDS), ...present(file, V3_KEY_FIELDS)];
  if (v3.length > 0) throw malformed(`The instruction file of an object without V3 metadata holds ${v3.join(", ")}.`);
  const stated = metadata.get(PLAINTEXT_LENGTH);
  const merged = new Map(file);
  if (stated !== undefined && !merged.has(PLAINTEXT_LENGTH)) merged.set(PLAINTEXT_LENGTH, stated);
  return readUncommitted(merged, "instruction-file", wraps);
}

function readUncommitted(
  fields: StoredFields,
  placement: Envelope["placement"],
  wraps: readonly WrapAlgorithm[],
): UncommittedEnvelope {
  const format = fields.has(WRAPPED_KEY_V1) ? "V1" : "V2";
  if (fields.has(WRAPPED_KEY_V1) && fields.has(WRAPPED_KEY_V2)) {
    throw malformed(`The envelope holds both ${WRAPPED_KEY_V1} and ${WRAPPED_KEY_V2}.`);
  }
  requireAll(fields, [format === "V1" ? WRAPPED_KEY_V1 : WRAPPED_KEY_V2, IV]);
  if (format === "V1") refuseBeside(present(fields, [WRAP_ALGORITHM, CONTENT_ALGORITHM]), [WRAPPED_KEY_V1]);
  const storedAlgorithm = fields.get(CONTENT_ALGORITHM);
  const suite = suiteOfContentAlgorithm(storedAlgorithm);
  if (suite === undefined) throw malformed(`The envelope names an unknown content algorithm in ${CONTENT_ALGORITHM}.`);
  checkTagLength(fields, suite);
  const iv = decodeBase64(fields, IV);
  if (iv.length !== suite.ivLength) throw malformed(`The envelope's ${IV} must be ${suite.ivLength} bytes.`);
  const ciphertext = decodeBase64(fields, format === "V1" ? WRAPPED_KEY_V1 : WRAPPED_KEY_V2);
  const wrapAlgorithm = wrapNamed(fields.get(WRAP_ALGORITHM), ciphertext, wraps);
  const encryptedDataKey = readEncryptedDataKey(wrapAlgorithm, ciphertext, fields.get(MATERIAL_DESCRIPTION));
  return Object.freeze({
    format,
    placement,
    suite,
    algorithmBinding: storedAlgorithm ?? CBC.storedName,
    encryptedDataKey,
    iv,
    ...statedPlaintextLength(fields),
  });
}

function readCommitted(
  content: StoredFields,
  wrapped: StoredFields,
  placement: Envelope["placement"],
  wraps: readonly WrapAlgorithm[],
): CommittedEnvelope {
  if (content.get(CONTENT_ALGORITHM_V3) !== COMMITTING_GCM.storedName) {
    throw malformed(`The envelope's ${CONTENT_ALGORITHM_V3} must be ${COMMITTING_GCM.storedName}.`);
  }
  const code = wrapped.get(WRAP_ALGORITHM_V3);
  const wrapAlgorithm = wraps.find((entry) => entry.v3Code !== null && entry.v3Code === code);
  if (wrapAlgorithm === undefined)
    throw malformed(`The envelope names an unknown wrap in ${WRAP_ALGORITHM_V3} (S9, H26).`);
  const messageId = decodeBase64(content, MESSAGE_ID);
  const commitment = decodeBase64(content, KEY_COMMITMENT);
  if (messageId.length !== MESSAGE_ID_LENGTH || commitment.length !== COMMITMENT_LENGTH) {
    throw malformed(`The envelope's ${MESSAGE_ID} and ${KEY_COMMITMENT} must be 28 bytes each.`);
  }
  // One writer stores an empty or a second map; the wrap decides which one counts (H4).
  const describedBy =
    wrapAlgorithm.describedBy === "encryption-context" ? ENCRYPTION_CONTEXT_V3 : MATERIAL_DESCRIPTION_V3;
  const ciphertext = decodeBase64(wrapped, WRAPPED_KEY_V3);
  return Object.freeze({
    format: "V3",
    placement,
    suite: COMMITTING_GCM,
    algorithmBinding: COMMITTING_GCM.storedName,
    encryptedDataKey: readEncryptedDataKey(wrapAlgorithm, ciphertext, wrapped.get(describedBy)),
    messageId,
    commitment,
    ...statedPlaintextLength(content),
  });
}

/** V1 and some V2 objects name no wrap: their key kind shows in the length, and the keyring must agree (H14). */
function wrapNamed(name: string | undefined, ciphertext: Uint8Array, wraps: readonly WrapAlgorithm[]): WrapAlgorithm {
  if (name === undefined) return ciphertext.length <= 48 ? AES_ECB : RSA_PKCS1;
  const wrap = wraps.find((entry) => entry.v2Name === name);
  if (wrap === undefined) throw malformed(`The envelope names an unknown wrap in ${WRAP_ALGORITHM}.`);
  return wrap;
}

function readEncryptedDataKey(
  wrapAlgorithm: WrapAlgorithm,
  ciphertext: Uint8Array,
  descriptionText: string | undefined,
): EncryptedDataKey {
  const description =
    descriptionText === undefined ? EMPTY_STRING_MAP : parseStringMap(descriptionText, "material description");
  // A kms wrap never holds this entry: a kms+context wrap was relabelled to escape its binding (S9).
  if (wrapAlgorithm.name === KMS.name && Object.hasOwn(description, CONTEXT_CONTENT_ALGORITHM)) {
    throw malformed("The envelope's wrap was relabelled from kms+context to kms.");
  }
  return Object.freeze({ wrapAlgorithm, ciphertext, description });
}

/** Never used to choose a tag length (S15); where stated it must be what every client writes (H6). */
function checkTagLength(fields: StoredFields, suite: AlgorithmSuite): void {
  const stated = fields.get(TAG_LENGTH);
  const expected = suite.cipher === "gcm" ? "128" : "0";
  if (stated !== undefined && stated !== expected) {
    throw malformed(`The envelope's ${TAG_LENGTH} must be ${expected} for ${suite.name}.`);
  }
}

function statedPlaintextLength(fields: StoredFields): { statedPlaintextLength?: number } {
  const stated = fields.get(PLAINTEXT_LENGTH);
  return stated !== undefined && /^\d{1,15}$/.test(stated) ? { statedPlaintextLength: Number(stated) } : {};
}

function requireAll(fields: StoredFields, names: readonly string[]): void {
  const missing = names.filter((name) => !fields.has(name));
  if (missing.length > 0) throw malformed(`The envelope is incomplete: it lacks ${missing.join(", ")}.`);
}

function refuseBeside(strangers: readonly string[], owners: readonly string[]): void {
  if (strangers.length > 0) {
    throw malformed(`The envelope mixes formats: ${strangers.join(", ")} beside ${owners.join(", ")} (S7).`);
  }
}

function malformed(message: string): S3EncryptionError {
  return new S3EncryptionError("malformed-envelope", message);
}
