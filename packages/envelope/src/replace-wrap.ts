import { annotationText } from "./annotation.js";
import type { EncryptedDataKey, Envelope } from "./envelope.js";
import { PLAINTEXT_LENGTH, TAG_LENGTH, V1_V2_FIELDS, V3_CONTENT_FIELDS, V3_KEY_FIELDS } from "./metadata-keys.js";
import type { Metadata } from "./object-mark.js";
import type { InstructionFile } from "./read-envelope.js";
import { fieldsOfInstructionFile } from "./stored-fields.js";
import { formatStringMap } from "./string-map.js";
import {
  committedFields,
  committedKeyFields,
  uncommittedFields,
  uncommittedKeyFields,
  type WrittenFields,
} from "./written-fields.js";

/** User metadata of an object, as far as a new wrapped key changes it. */
export interface ReplacedFields {
  /** The whole envelope, to be stored beside what is the user's. */
  readonly metadata: WrittenFields;
  /** Names of the stored envelope, in the letter case in which they stand: none of them stays unless `metadata` has it. */
  readonly replaces: readonly string[];
}

/**
 * The same envelope in an object's own metadata, with another wrapped key: format V3 stays V3, and V1, which cannot say how
 * its key is wrapped, becomes V2. IV, message id and commitment stay.
 * @throws S3EncryptionError `invalid-configuration` for a wrap that the format does not hold
 */
export function replaceInMetadata(envelope: Envelope, key: EncryptedDataKey, stored: Metadata): ReplacedFields {
  const own = [...V1_V2_FIELDS, ...V3_CONTENT_FIELDS, ...V3_KEY_FIELDS, TAG_LENGTH];
  const metadata =
    envelope.format === "V3"
      ? { ...committedFields(envelope), ...committedKeyFields(key) }
      : { ...contentOf(envelope), ...uncommittedKeyFields(key) };
  return { metadata, replaces: Object.keys(stored).filter((name) => own.includes(name.toLowerCase())) };
}

/**
 * The text that holds a wrapped key beside the object: an instruction file's. What V3 keeps on the object is not in it (S5);
 * of V1 and V2 it says what it is for, so that a reader can compare (S19).
 *
 * @param previous the file that it replaces, where there is one
 * @throws S3EncryptionError `invalid-configuration` for a wrap that the format does not hold
 */
export function wrapBeside(envelope: Envelope, key: EncryptedDataKey, previous?: InstructionFile): string {
  if (envelope.format === "V3") return formatStringMap(committedKeyFields(key));
  const kept = envelope.suite.cipher === "cbc" ? lengthOfCbc(previous) : {};
  return formatStringMap({ ...contentOf(envelope), ...kept, ...uncommittedKeyFields(key) });
}

function contentOf({ suite, iv, algorithmBinding }: Exclude<Envelope, { format: "V3" }>): WrittenFields {
  return uncommittedFields(suite, iv, algorithmBinding);
}

/** PHP calls a file of CBC content malformed that holds neither (H6). */
function lengthOfCbc(previous: InstructionFile | undefined): WrittenFields {
  const fields = previous === undefined ? new Map() : fieldsOfInstructionFile(previous.text, previous.suffix);
  const kept = [TAG_LENGTH, PLAINTEXT_LENGTH].filter((name) => fields.has(name));
  return kept.length === 0 ? { [TAG_LENGTH]: "0" } : Object.fromEntries(kept.map((name) => [name, fields.get(name)]));
}

/**
 * The text that holds a wrapped key in an annotation of the object.
 * @throws S3EncryptionError `invalid-configuration` for a wrap that the format does not hold
 */
export function wrapInAnnotation(envelope: Envelope, key: EncryptedDataKey): string {
  const fields =
    envelope.format === "V3" ? committedKeyFields(key) : { ...contentOf(envelope), ...uncommittedKeyFields(key) };
  return annotationText(fields, {
    format: envelope.format === "V3" ? "V3" : "V2",
    wrap: key.wrapAlgorithm.name,
    kmsKey: key.wrappingKey,
  });
}
