import { GCM } from "./algorithm-suites.js";
import { type AnnotationToWrite, annotationName, annotationText } from "./annotation.js";
import type { ContentHeader } from "./content-key.js";
import type { EncryptedDataKey } from "./envelope.js";
import { S3EncryptionError } from "./errors.js";
import { OBJECT_MARK } from "./metadata-keys.js";
import { newFile, objectMark } from "./object-mark.js";
import { formatStringMap } from "./string-map.js";
import {
  committedFields,
  committedKeyFields,
  uncommittedFields,
  uncommittedKeyFields,
  type WrittenFields,
} from "./written-fields.js";

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
export type WrapPlacement = "metadata" | "instruction-files" | "annotations";

/** Where an envelope goes: the object's own metadata, and any instruction files. */
export interface EnvelopeToWrite {
  /** User metadata to add to the object's own. */
  readonly metadata: Readonly<Record<string, string>>;
  /** One for each wrapped key that is not in the metadata; none by default. */
  readonly instructionFiles: readonly InstructionFileToWrite[];
  /** With `wrapPlacement: "annotations"`, one for each wrapped key that is not in the metadata. */
  readonly annotations?: readonly AnnotationToWrite[];
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
 * object's own metadata holds no wrapped key. With `"annotations"` the others go into annotations of the object.
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
  const annotates = wrapPlacement === "annotations";
  if (annotates && useInstructionFile) throw annotatesAndFiles();
  const several = encryptedDataKeys.length > 1;
  if (several && !committed && options.allowUncommittedChildren !== true) throw uncommittedChildren();
  const contentFields = committed ? committedFields(header) : uncommittedFields(GCM, header.iv);
  const keyFields = committed ? committedKeyFields : uncommittedKeyFields;
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
  const mark = objectMark(metadata) ?? "";
  // Beside a V2 envelope a text says what it is for, so that a reader can compare (S19).
  const beside = (key: EncryptedDataKey): WrittenFields => ({ ...(committed ? {} : contentFields), ...keyFields(key) });
  if (annotates) {
    const annotations = ofFiles.map((key) => ({
      name: annotationName(key.instructionFileSuffix ?? ""),
      text: annotationText(beside(key), {
        format: header.format,
        wrap: key.wrapAlgorithm.name,
        kmsKey: key.wrappingKey,
      }),
    }));
    if (new Set(annotations.map(({ name }) => name)).size < annotations.length) throw samePlace("the same annotation");
    return { metadata, instructionFiles: [], annotations, mark };
  }
  const instructionFiles = ofFiles.map((key) => ({
    suffix: instructionFileSuffix(
      key.instructionFileSuffix ?? options.defaultSuffix ?? DEFAULT_INSTRUCTION_FILE_SUFFIX,
    ),
    body: formatStringMap(beside(key)),
    metadata: newFile(mark),
  }));
  if (new Set(instructionFiles.map((file) => file.suffix)).size < instructionFiles.length) {
    throw samePlace("the same instruction file");
  }
  return { metadata, instructionFiles, mark };
}

function annotatesAndFiles(): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-configuration",
    "With wrapPlacement: \"annotations\" the generator's wrapped key is in the object's metadata: write without an instruction file (enableInstructionFilePutObject, instructionFileSuffix).",
  );
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
