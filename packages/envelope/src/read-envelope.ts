import type { Envelope } from "./envelope.js";
import { malformedEnvelope } from "./errors.js";
import { V1_V2_FIELDS, V3_CONTENT_FIELDS, V3_KEY_FIELDS } from "./metadata-keys.js";
import { readCommittedContent, readCommittedEnvelope, requireCommittedKey } from "./read-committed.js";
import {
  isSameContent,
  readStatedLength,
  readUncommittedContent,
  readUncommittedEnvelope,
  type UncommittedContent,
} from "./read-uncommitted.js";
import { fieldsOfInstructionFile, fieldsOfMetadata, present } from "./stored-fields.js";
import { WRAP_ALGORITHMS, type WrapAlgorithm } from "./wrap-algorithms.js";

/** An instruction file as it was fetched: the text, and the suffix of the key it was found under. */
export interface InstructionFile {
  /** The file's body, as UTF-8. */
  readonly text: string;
  /** What follows the object's key in the file's, the dot included where there is one. */
  readonly suffix: string;
}

/** Metadata that a wrapped key from an instruction file completes. */
export interface BesideInstructionFile {
  readonly placement: "instruction-file";
  /** The envelope with the file that the caller fetched; throws `malformed-envelope` where they do not fit. */
  readonly complete: (file: InstructionFile) => Envelope;
}

/** What an object's metadata turned out to be: a whole envelope, or one whose wrapped key is in an instruction file. */
export type Classification =
  | {
      readonly placement: "metadata";
      /** All of it. */
      readonly envelope: Envelope;
    }
  | BesideInstructionFile;

/** What a reader knows beside the object's metadata. */
export interface ReadEnvelopeOptions {
  /** Wraps beyond the official ones, as the configured keyring declares them. Default: none. */
  readonly wrapAlgorithms?: readonly WrapAlgorithm[];
  /**
   * Take the wrapped key from an instruction file although the metadata holds one too (H17). The file may re-wrap the
   * data key, not change anything about the content: suite and IV must be those of the metadata.
   * Default false.
   */
  readonly preferInstructionFile?: boolean;
}

/**
 * Decides what an object's user metadata says, by docs/formats.md 3.4: exactly one of the formats, or a refusal. Pure: reads
 * nothing, uses no key.
 * @throws S3EncryptionError `malformed-envelope` for what breaks a rule of the formats
 */
export function classifyEnvelope(
  metadata: Readonly<Record<string, string>>,
  options: ReadEnvelopeOptions & { readonly preferInstructionFile: true },
): BesideInstructionFile;
export function classifyEnvelope(
  metadata: Readonly<Record<string, string>>,
  options?: ReadEnvelopeOptions,
): Classification;
export function classifyEnvelope(
  metadata: Readonly<Record<string, string>>,
  options: ReadEnvelopeOptions = {},
): Classification {
  const fields = fieldsOfMetadata(metadata);
  const wraps = [...WRAP_ALGORITHMS, ...(options.wrapAlgorithms ?? [])];
  const fileWins = options.preferInstructionFile === true;
  const v3Key = present(fields, V3_KEY_FIELDS);
  const v3 = [...present(fields, V3_CONTENT_FIELDS), ...v3Key];
  const uncommitted = present(fields, V1_V2_FIELDS);
  // No branch may be reached by what another one ignores (S7).
  if (v3.length > 0 && uncommitted.length > 0) {
    throw malformedEnvelope(`The envelope mixes formats: ${uncommitted.join(", ")} beside ${v3.join(", ")}.`);
  }
  if (v3.length > 0) {
    const content = readCommittedContent(fields);
    if (v3Key.length > 0) requireCommittedKey(fields);
    return v3Key.length > 0 && !fileWins
      ? { placement: "metadata", envelope: readCommittedEnvelope(content, fields, "metadata", wraps) }
      : { placement: "instruction-file", complete: (file) => completeCommitted(content, file, wraps) };
  }
  const content = uncommitted.length > 0 ? readUncommittedContent(fields) : undefined;
  if (content !== undefined && !fileWins) {
    return { placement: "metadata", envelope: readUncommittedEnvelope(content, fields, "metadata", wraps) };
  }
  // Most writers leave the stated length on the object, whatever else goes to the file (1.6).
  const stated = readStatedLength(fields);
  return {
    placement: "instruction-file",
    complete: (file) => Object.freeze({ ...stated, ...completeUncommitted(content, file, wraps) }),
  };
}

/**
 * Whether an object's metadata says that one of the S3 formats encrypted it: none of it need be in an instruction file.
 * @throws S3EncryptionError `malformed-envelope` where it holds two values of one name
 */
export function holdsEnvelope(metadata: Readonly<Record<string, string>>): boolean {
  return present(fieldsOfMetadata(metadata), [...V1_V2_FIELDS, ...V3_CONTENT_FIELDS, ...V3_KEY_FIELDS]).length > 0;
}

/**
 * Whether what lies at an instruction file's key is one at all, of this or another object: a JSON object with members of an
 * envelope, and no object that is encrypted itself. Throws nothing.
 */
export function isInstructionFile(
  { text, suffix }: InstructionFile,
  metadata: Readonly<Record<string, string>>,
): boolean {
  try {
    if (holdsEnvelope(metadata)) return false;
    return (
      present(fieldsOfInstructionFile(text, suffix), [...V1_V2_FIELDS, ...V3_CONTENT_FIELDS, ...V3_KEY_FIELDS]).length >
      0
    );
  } catch {
    return false;
  }
}

/**
 * The envelope of an object that has none of its own and lies beside two instruction files, `.instruction` and that of
 * .NET's first client, which nobody takes along when the object is deleted, copied or written anew (1.6). Nothing on the
 * object says whose it is: they must be for the same content.
 * @throws S3EncryptionError `malformed-envelope` otherwise
 */
export function completeFromBoth(
  complete: (file: InstructionFile) => Envelope,
  [file, other]: readonly [InstructionFile, InstructionFile],
): Envelope {
  const envelope = complete(file);
  const beside = complete(other);
  if (envelope.format !== "V3" && beside.format !== "V3" && isSameContent(envelope, beside)) return envelope;
  throw malformedEnvelope(
    `The object has two instruction files, at its key plus "${file.suffix}" and "${other.suffix}", that are not for the same content: one is left of another object. Name the right one (instructionFileSuffix), or delete the other.`,
  );
}

/**
 * The wrapped key that a file or an annotation holds, whichever object it is of: for audits. Whoever opens an object asks
 * `classifyEnvelope`, which holds the two against each other.
 * @throws S3EncryptionError `malformed-envelope` for what holds none
 */
export function readWrapBeside(
  file: InstructionFile,
  { wrapAlgorithms = [] }: Pick<ReadEnvelopeOptions, "wrapAlgorithms"> = {},
): Pick<Envelope, "format" | "encryptedDataKey"> {
  const wraps = [...WRAP_ALGORITHMS, ...wrapAlgorithms];
  const isCommitted = present(fieldsOfInstructionFile(file.text, file.suffix), V3_KEY_FIELDS).length > 0;
  const { format, encryptedDataKey } = isCommitted
    ? completeCommitted(NO_CONTENT, file, wraps)
    : completeUncommitted(undefined, file, wraps);
  return { format, encryptedDataKey };
}

const NO_CONTENT = { messageId: new Uint8Array(0), commitment: new Uint8Array(0) };

function completeCommitted(
  content: ReturnType<typeof readCommittedContent>,
  { text, suffix }: InstructionFile,
  wraps: readonly WrapAlgorithm[],
): Envelope {
  const file = fieldsOfInstructionFile(text, suffix);
  // The commitment is worth something only because it does not travel with the wrapped key (S5).
  const misplaced = [...present(file, V3_CONTENT_FIELDS), ...present(file, V1_V2_FIELDS)];
  if (misplaced.length > 0) {
    throw malformedEnvelope(`The instruction file holds ${misplaced.join(", ")}, which it must not.`);
  }
  requireCommittedKey(file);
  return readCommittedEnvelope(content, file, "instruction-file", wraps);
}

/** @param ofObject what the object's own metadata says, where it holds a whole envelope too */
function completeUncommitted(
  ofObject: UncommittedContent | undefined,
  { text, suffix }: InstructionFile,
  wraps: readonly WrapAlgorithm[],
): Envelope {
  const file = fieldsOfInstructionFile(text, suffix);
  const v3 = [...present(file, V3_CONTENT_FIELDS), ...present(file, V3_KEY_FIELDS)];
  if (v3.length > 0) {
    throw malformedEnvelope(`The instruction file of an object without V3 metadata holds ${v3.join(", ")}.`);
  }
  const content = readUncommittedContent(file);
  if (ofObject !== undefined && !isSameContent(ofObject, content)) {
    throw malformedEnvelope(
      "The instruction file and the object's metadata disagree about how the content is encrypted.",
    );
  }
  return readUncommittedEnvelope(content, file, "instruction-file", wraps);
}
