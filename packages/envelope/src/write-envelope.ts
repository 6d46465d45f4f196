import { COMMITTING_GCM, GCM } from "./algorithm-suites.js";
import type { ContentHeader } from "./content-cipher.js";
import type { EncryptedDataKey } from "./envelope.js";
import { S3EncryptionError } from "./errors.js";
import {
  CONTENT_ALGORITHM,
  CONTENT_ALGORITHM_V3,
  ENCRYPTION_CONTEXT_V3,
  INSTRUCTION_FILE_MARKER,
  IV,
  KEY_COMMITMENT,
  MATERIAL_DESCRIPTION,
  MATERIAL_DESCRIPTION_V3,
  MESSAGE_ID,
  TAG_LENGTH,
  WRAP_ALGORITHM,
  WRAP_ALGORITHM_V3,
  WRAPPED_KEY_V2,
  WRAPPED_KEY_V3,
} from "./metadata-keys.js";
import { formatStringMap } from "./string-map.js";
import type { WrapAlgorithm } from "./wrap-algorithms.js";

export const DEFAULT_INSTRUCTION_FILE_SUFFIX = ".instruction";

/** An instruction file to put at the object's key plus `suffix`. */
export interface InstructionFileToWrite {
  readonly suffix: string;
  readonly body: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where an envelope goes: the object's own metadata, and any instruction files. */
export interface EnvelopeToWrite {
  readonly metadata: Readonly<Record<string, string>>;
  readonly instructionFiles: readonly InstructionFileToWrite[];
}

/** Exactly one leading dot, as readers expect of suffixes that we write (H16). Throws `invalid-argument` when empty. */
export function instructionFileSuffix(suffix: string): string {
  const name = suffix.replace(/^\.+/, "");
  if (name === "") {
    throw new S3EncryptionError("invalid-argument", 'An instruction file suffix needs a name, such as ".escrow".');
  }
  return `.${name}`;
}

/**
 * Lays out an envelope as docs/formats.md 2.11 says. One store holds one wrapped key, so with several encrypted data
 * keys all of them go to instruction files: Java v4 looks at a custom suffix only when the object's own metadata holds
 * no wrapped key.
 */
export function writeEnvelope(options: {
  readonly header: ContentHeader;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** Put even a single wrapped key into an instruction file. */
  readonly useInstructionFile: boolean;
  /** Suffix of encrypted data keys that name none; default `.instruction`. */
  readonly defaultSuffix?: string;
}): EnvelopeToWrite {
  const { header, encryptedDataKeys, useInstructionFile } = options;
  const contentFields =
    header.format === "V3"
      ? {
          [CONTENT_ALGORITHM_V3]: COMMITTING_GCM.storedName,
          [KEY_COMMITMENT]: base64(header.commitment),
          [MESSAGE_ID]: base64(header.messageId),
        }
      : { [IV]: base64(header.iv), [CONTENT_ALGORITHM]: GCM.storedName, [TAG_LENGTH]: "128" };
  const keyFields = header.format === "V3" ? v3KeyFields : v2KeyFields;
  const [only] = encryptedDataKeys;
  if (only === undefined) throw new S3EncryptionError("invalid-argument", "An envelope needs an encrypted data key.");
  if (encryptedDataKeys.length === 1 && !useInstructionFile && only.instructionFileSuffix === undefined) {
    return { metadata: { ...contentFields, ...keyFields(only) }, instructionFiles: [] };
  }
  // V3 keeps the commitment on the object (S5); V2 keeps everything in the file (1.6).
  const committed = header.format === "V3";
  const instructionFiles = encryptedDataKeys.map((key) => ({
    suffix: instructionFileSuffix(
      key.instructionFileSuffix ?? options.defaultSuffix ?? DEFAULT_INSTRUCTION_FILE_SUFFIX,
    ),
    body: formatStringMap({ ...(committed ? {} : contentFields), ...keyFields(key) }),
    metadata: { [INSTRUCTION_FILE_MARKER]: "" },
  }));
  if (new Set(instructionFiles.map((file) => file.suffix)).size < instructionFiles.length) {
    throw new S3EncryptionError(
      "invalid-configuration",
      "Two keyrings would write the same instruction file; give each child its own instructionFileSuffix.",
    );
  }
  return { metadata: committed ? contentFields : {}, instructionFiles };
}

function v3KeyFields({ wrapAlgorithm, ciphertext, description }: EncryptedDataKey): Record<string, string> {
  if (wrapAlgorithm.v3Code === null) throw notWritable(wrapAlgorithm);
  const name = wrapAlgorithm.describedBy === "encryption-context" ? ENCRYPTION_CONTEXT_V3 : MATERIAL_DESCRIPTION_V3;
  return {
    [WRAPPED_KEY_V3]: wrappedKey(ciphertext),
    [WRAP_ALGORITHM_V3]: wrapAlgorithm.v3Code,
    ...(Object.keys(description).length > 0 ? { [name]: formatStringMap(description) } : {}),
  };
}

function v2KeyFields({ wrapAlgorithm, ciphertext, description }: EncryptedDataKey): Record<string, string> {
  if (wrapAlgorithm.legacy || wrapAlgorithm.v2Name === null) throw notWritable(wrapAlgorithm);
  return {
    [WRAPPED_KEY_V2]: wrappedKey(ciphertext),
    [WRAP_ALGORITHM]: wrapAlgorithm.v2Name,
    // Spec and several readers want it even when empty (H11).
    [MATERIAL_DESCRIPTION]: formatStringMap(description),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** Readers take an empty value for an absent one (H3), so nobody could open such an object. */
function wrappedKey(ciphertext: Uint8Array): string {
  if (ciphertext.length === 0) {
    throw new S3EncryptionError("invalid-configuration", "The keyring gave an empty encrypted data key.");
  }
  return base64(ciphertext);
}

function notWritable({ name }: WrapAlgorithm): S3EncryptionError {
  return new S3EncryptionError("invalid-configuration", `The wrap ${name} can be read but never written.`);
}
