import { COMMITTING_GCM, GCM } from "./algorithm-suites.js";
import type { ContentHeader } from "./content-key.js";
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
  OBJECT_MARK,
  TAG_LENGTH,
  WRAP_ALGORITHM,
  WRAP_ALGORITHM_V3,
  WRAPPED_KEY_V2,
  WRAPPED_KEY_V3,
} from "./metadata-keys.js";
import { objectMark } from "./object-mark.js";
import { formatStringMap } from "./string-map.js";
import type { WrapAlgorithm } from "./wrap-algorithms.js";

/** What follows the object's key in that of its instruction file, where nobody named another. */
export const DEFAULT_INSTRUCTION_FILE_SUFFIX = ".instruction";

/** An instruction file to put at the object's key plus `suffix`. */
export interface InstructionFileToWrite {
  /** With exactly one leading dot. */
  readonly suffix: string;
  /** JSON text, in ASCII. */
  readonly body: string;
  /** User metadata of the file: what marks it as an instruction file, and the object's mark. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where wrapped keys go when there is more than one. */
export type WrapPlacement = "metadata" | "instruction-files";

/** Where an envelope goes: the object's own metadata, and any instruction files. */
export interface EnvelopeToWrite {
  /** User metadata to add to the object's own. */
  readonly metadata: Readonly<Record<string, string>>;
  /** One for each wrapped key that is not in the metadata; none by default. */
  readonly instructionFiles: readonly InstructionFileToWrite[];
  /** Tells this object from every other one: what `objectMark` finds on it and `fileMark` on its instruction files. */
  readonly mark: string;
}

/**
 * Exactly one leading dot, as readers expect of suffixes that we write (H16).
 * @throws S3EncryptionError `invalid-argument` when there is nothing but dots
 */
export function instructionFileSuffix(suffix: string): string {
  const name = suffix.replace(/^\.+/, "");
  if (name === "") {
    throw new S3EncryptionError("invalid-argument", 'An instruction file suffix needs a name, such as ".escrow".');
  }
  return `.${name}`;
}

/**
 * Lays out an envelope as docs/formats.md 2.11 says. One store holds one wrapped key: the one that names no suffix goes
 * into the object's metadata, and so is stored in one request with the object; each other one into a file of its own.
 * With `wrapPlacement: "instruction-files"` all of several go to files: Java looks at a custom suffix only where the
 * object's own metadata holds no wrapped key.
 * @throws S3EncryptionError `invalid-configuration` for a wrap that the format does not hold, two for one place, an empty
 * wrapped key, and several in V2 unless allowed (S19); `invalid-argument` without any, or for an empty suffix
 */
export function writeEnvelope(options: {
  readonly header: ContentHeader;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** Put even a single wrapped key into an instruction file. */
  readonly useInstructionFile: boolean;
  /** Where several wrapped keys go; default `metadata`. */
  readonly wrapPlacement?: WrapPlacement;
  /** Suffix of encrypted data keys that name none; default `.instruction`. */
  readonly defaultSuffix?: string;
  /** Write several wrapped keys although nothing commits to the data key (S19). Default false. */
  readonly allowUncommittedChildren?: boolean;
}): EnvelopeToWrite {
  const { header, encryptedDataKeys, useInstructionFile, wrapPlacement = "metadata" } = options;
  if (encryptedDataKeys.length === 0) {
    throw new S3EncryptionError("invalid-argument", "An envelope needs an encrypted data key.");
  }
  const committed = header.format === "V3";
  const several = encryptedDataKeys.length > 1;
  if (several && !committed && options.allowUncommittedChildren !== true) throw uncommittedChildren();
  const contentFields = committed
    ? {
        [CONTENT_ALGORITHM_V3]: COMMITTING_GCM.storedName,
        [KEY_COMMITMENT]: base64(header.commitment),
        [MESSAGE_ID]: base64(header.messageId),
      }
    : { [IV]: base64(header.iv), [CONTENT_ALGORITHM]: GCM.storedName, [TAG_LENGTH]: "128" };
  const keyFields = committed ? v3KeyFields : v2KeyFields;
  const inFiles = useInstructionFile || (several && wrapPlacement === "instruction-files");
  const ofObject = inFiles ? [] : encryptedDataKeys.filter((key) => key.instructionFileSuffix === undefined);
  const ofFiles = encryptedDataKeys.filter((key) => !ofObject.includes(key));
  const [own, second] = ofObject;
  if (second !== undefined) throw samePlace("the object's metadata");
  // V3 keeps the commitment on the object (S5); V2 has nothing on the object but what its metadata holds wholly (1.6).
  const id = committed || own !== undefined ? undefined : crypto.randomUUID();
  const metadata = {
    ...(id === undefined ? contentFields : { [OBJECT_MARK]: id }),
    ...(own === undefined ? {} : keyFields(own)),
  };
  const mark = id ?? objectMark(metadata) ?? "";
  const instructionFiles = ofFiles.map((key) => ({
    suffix: instructionFileSuffix(
      key.instructionFileSuffix ?? options.defaultSuffix ?? DEFAULT_INSTRUCTION_FILE_SUFFIX,
    ),
    // Beside a V2 envelope a file says what it is for, so that a reader can compare (S19).
    body: formatStringMap({ ...(committed ? {} : contentFields), ...keyFields(key) }),
    metadata: { [INSTRUCTION_FILE_MARKER]: "", [OBJECT_MARK]: mark },
  }));
  if (new Set(instructionFiles.map((file) => file.suffix)).size < instructionFiles.length) {
    throw samePlace("the same instruction file");
  }
  return { metadata, instructionFiles, mark };
}

function samePlace(place: string): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-configuration",
    `Two keyrings would write to ${place}; give each child its own instructionFileSuffix.`,
  );
}

function uncommittedChildren(): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-configuration",
    "Format V2 does not commit to its key: whoever writes such an object can give each reader another content. Write V3 (commitmentPolicy REQUIRE_ENCRYPT_REQUIRE_DECRYPT, or REQUIRE_ENCRYPT_ALLOW_DECRYPT), or set enableUncommittedChildren to write children into V2 all the same.",
  );
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
