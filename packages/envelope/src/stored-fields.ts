import { malformedEnvelope } from "./errors.js";
import { decodeHeaderText } from "./header-text.js";
import {
  ENCRYPTION_CONTEXT_V3,
  IV,
  MATERIAL_DESCRIPTION,
  MATERIAL_DESCRIPTION_V3,
  PLAINTEXT_LENGTH,
  TAG_LENGTH,
  V1_V2_FIELDS,
  V3_CONTENT_FIELDS,
  V3_KEY_FIELDS,
  WRAPPED_KEY_V1,
} from "./metadata-keys.js";
import { parseFlatJson } from "./string-map.js";

/** The envelope's members, by lower-case name; empty values count as absent (H3). */
export type StoredFields = ReadonlyMap<string, string>;

/** Larger instruction files are refused unread (S14). Bytes. */
export const MAX_INSTRUCTION_FILE_LENGTH: number = 64 * 1024;

/** The suffix, without a dot, under which .NET's first client wrote (1.6). */
export const DOTNET_V1_SUFFIX = "INSTRUCTION_SUFFIX";

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  ...V1_V2_FIELDS,
  ...V3_CONTENT_FIELDS,
  ...V3_KEY_FIELDS,
  TAG_LENGTH,
  PLAINTEXT_LENGTH,
]);
const NUMERIC_FIELDS: readonly string[] = [TAG_LENGTH, PLAINTEXT_LENGTH];
const DESCRIPTION_FIELDS: readonly string[] = [MATERIAL_DESCRIPTION, MATERIAL_DESCRIPTION_V3, ENCRYPTION_CONTEXT_V3];

/** The envelope members of an object's user metadata, in whatever letter case the store keeps them (3.4 item 1, H35). */
export function fieldsOfMetadata(metadata: Readonly<Record<string, string>>): StoredFields {
  const fields = new Map<string, string>();
  for (const [rawName, rawValue] of Object.entries(metadata)) {
    const name = rawName.toLowerCase();
    if (!KNOWN_FIELDS.has(name) || rawValue === "") continue;
    const value = DESCRIPTION_FIELDS.includes(name) ? decodeHeaderText(rawValue) : rawValue;
    const other = fields.get(name);
    if (other !== undefined && other !== value) {
      throw malformedEnvelope(`The object's metadata holds two different values of ${name}.`);
    }
    fields.set(name, value);
  }
  return fields;
}

/**
 * The members of an instruction file (3.4 item 4): a small flat JSON object of strings; integers only in the two
 * numeric members (H5). Unknown members are ignored.
 */
export function fieldsOfInstructionFile(text: string, suffix: string): StoredFields {
  if (Buffer.byteLength(text) > MAX_INSTRUCTION_FILE_LENGTH) {
    throw malformedEnvelope("The instruction file is larger than any client writes.");
  }
  const fields = new Map<string, string>();
  for (const [name, value] of parseFlatJson(text, "instruction file")) {
    const known = suffix === DOTNET_V1_SUFFIX ? (DOTNET_V1_NAMES.get(name) ?? name) : name;
    if (!KNOWN_FIELDS.has(known) || value === "") continue;
    const isInteger = NUMERIC_FIELDS.includes(known) && Number.isSafeInteger(value);
    if ((typeof value !== "string" && !isInteger) || fields.has(known)) {
      throw malformedEnvelope(`The instruction file's member ${known} is not a single string.`);
    }
    fields.set(known, String(value));
  }
  return fields;
}

const DOTNET_V1_NAMES: ReadonlyMap<string, string> = new Map([
  ["EncryptedEnvelopeKey", WRAPPED_KEY_V1],
  ["IV", IV],
]);

/** Refuses fields that lack any of the named members. */
export function requireAll(fields: StoredFields, names: readonly string[]): void {
  const missing = names.filter((name) => !fields.has(name));
  if (missing.length > 0) throw malformedEnvelope(`The envelope is incomplete: it lacks ${missing.join(", ")}.`);
}

/** The named members that are present. */
export function present(fields: StoredFields, names: readonly string[]): string[] {
  return names.filter((name) => fields.has(name));
}

/** Standard base64, padded and without whitespace, as every client writes it (1.1). */
export function decodeBase64(fields: StoredFields, name: string): Uint8Array {
  const text = fields.get(name);
  if (text === undefined) throw malformedEnvelope(`The envelope lacks ${name}.`);
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === 0 || bytes.toString("base64") !== text) {
    throw malformedEnvelope(`The envelope's ${name} is not standard base64.`);
  }
  return bytes;
}
