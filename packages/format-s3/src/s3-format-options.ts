import {
  type AlgorithmSuite,
  type AlgorithmSuiteName,
  algorithmSuite,
  assertMayEncrypt,
  COMMITTING_GCM,
  type CommitmentPolicy,
  GCM,
  type WrapPlacement,
} from "@s3ec/envelope";
import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";

/** Where wrapped keys go when not into the object's own metadata. */
export interface InstructionFileConfig {
  /** Write the wrapped key to `<key>.instruction` instead of the object's metadata. Default false. */
  readonly enableInstructionFilePutObject?: boolean;
  /** Never look for instruction files, nor for annotations, on reading. Default false. */
  readonly disableInstructionFile?: boolean;
  /** Suffix to read, verbatim, and to write, with one leading dot (H16). Default `.instruction`. */
  readonly suffix?: string;
  /**
   * Replace, for good, instruction files that may not be read (403), or that are of no object that stands: another put is
   * under way, or one has broken off. Default false: the put is refused before anything is lost.
   */
  readonly replaceUnknownFiles?: boolean;
}

/** How objects of the S3 encryption clients are written, and which of them may be read. */
export interface S3FormatOptions {
  /** Default: what the client's commitment policy asks for. */
  readonly encryptionAlgorithm?: AlgorithmSuiteName;
  /** Read wraps that do not bind the content algorithm (`kms`, `AESWrap`, ...). Default false. */
  readonly enableLegacyWrappingAlgorithms?: boolean;
  /** Read CBC content and byte ranges, neither of which is authenticated. Default false. */
  readonly enableLegacyUnauthenticatedModes?: boolean;
  /** Default: wrapped keys go into the metadata, and are looked for there and at `<key>.instruction`. */
  readonly instructionFileConfig?: InstructionFileConfig;
  /**
   * Where the wrapped keys of a keyring with children go. `"metadata"`, the default: the generator's into the object's own
   * metadata, in one request with the object; the children's into instruction files after it, where this client finds
   * them. `"instruction-files"`: all into files, before the object, for children that are read by another client.
   * `"annotations"`: the generator's into the metadata, the children's into annotations of the object (S3's, since 2026),
   * which this client alone reads.
   */
  readonly wrapPlacement?: WrapPlacement;
  /**
   * Leave an annotation with every object that is written, or re-wrapped in its metadata, `x-s3ec/about`, which says its format, its
   * wrap and whose keys open it, for an audit by SQL (docs/audit-with-sql.md). It is put once the object is stored; a store that
   * has not shown that it knows annotations gets none, and the call fails then. A re-wrap of a file or of an annotation leaves it
   * as it is. Default false.
   */
  readonly describeInAnnotation?: boolean;
  /** Write children's wrapped keys for objects without key commitment (V2, rule S19 of docs/formats.md). Default false. */
  readonly enableUncommittedChildren?: boolean;
}

/** The options with their defaults, checked. */
export interface ResolvedS3FormatOptions {
  readonly suite: AlgorithmSuite | undefined;
  readonly enableLegacyWrappingAlgorithms: boolean;
  readonly enableLegacyUnauthenticatedModes: boolean;
  readonly instructionFiles: {
    readonly write: boolean;
    readonly read: boolean;
    readonly suffix: string | undefined;
    readonly replaceUnknown: boolean;
  };
  readonly wrapPlacement: WrapPlacement;
  readonly enableUncommittedChildren: boolean;
  readonly describeInAnnotation: boolean;
}

const OPTIONS: OptionNames<S3FormatOptions> = {
  encryptionAlgorithm: true,
  enableLegacyWrappingAlgorithms: true,
  enableLegacyUnauthenticatedModes: true,
  instructionFileConfig: true,
  wrapPlacement: true,
  describeInAnnotation: true,
  enableUncommittedChildren: true,
};

/** Names of the options, for whoever takes them together with its own. */
export const S3_FORMAT_OPTION_NAMES: readonly (keyof S3FormatOptions)[] = Object.freeze(
  Object.keys(OPTIONS) as (keyof S3FormatOptions)[],
);

const INSTRUCTION_FILE_CONFIG: OptionNames<InstructionFileConfig> = {
  enableInstructionFilePutObject: true,
  disableInstructionFile: true,
  suffix: true,
  replaceUnknownFiles: true,
};

const SWITCHES = [
  "enableLegacyWrappingAlgorithms",
  "enableLegacyUnauthenticatedModes",
  "enableUncommittedChildren",
  "describeInAnnotation",
] as const satisfies readonly (keyof S3FormatOptions)[];

export function resolveS3FormatOptions(options: S3FormatOptions): ResolvedS3FormatOptions {
  assertKnownOptions(options, OPTIONS, "S3Format", "invalid-configuration");
  for (const name of SWITCHES) {
    // Texts are true, "false" among them.
    if (!["boolean", "undefined"].includes(typeof options[name])) throw invalid(`${name} must be true or false.`);
  }
  const { encryptionAlgorithm, instructionFileConfig = {}, wrapPlacement = "metadata" } = options;
  if (!["metadata", "instruction-files", "annotations"].includes(wrapPlacement)) {
    throw invalid('wrapPlacement must be "metadata", "instruction-files" or "annotations".');
  }
  assertKnownOptions(instructionFileConfig, INSTRUCTION_FILE_CONFIG, "instructionFileConfig", "invalid-configuration");
  const { enableInstructionFilePutObject = false, disableInstructionFile = false, suffix } = instructionFileConfig;
  if (suffix === "") throw invalid("instructionFileConfig.suffix must not be empty; leave it out for .instruction.");
  if (enableInstructionFilePutObject && disableInstructionFile) {
    throw invalid("Instruction files cannot be disabled and written at once; choose one in instructionFileConfig.");
  }
  if (enableInstructionFilePutObject && wrapPlacement === "annotations") {
    throw invalid(
      "With wrapPlacement: \"annotations\" the generator's wrapped key is in the object's metadata: leave out enableInstructionFilePutObject.",
    );
  }
  return {
    suite: encryptionAlgorithm === undefined ? undefined : algorithmSuite(encryptionAlgorithm),
    enableLegacyWrappingAlgorithms: options.enableLegacyWrappingAlgorithms ?? false,
    enableLegacyUnauthenticatedModes: options.enableLegacyUnauthenticatedModes ?? false,
    instructionFiles: {
      write: enableInstructionFilePutObject,
      read: !disableInstructionFile,
      suffix,
      replaceUnknown: instructionFileConfig.replaceUnknownFiles ?? false,
    },
    wrapPlacement,
    enableUncommittedChildren: options.enableUncommittedChildren ?? false,
    describeInAnnotation: options.describeInAnnotation ?? false,
  };
}

/** The suite to write with. Throws where the policy does not allow it. */
export function suiteToWrite({ suite }: ResolvedS3FormatOptions, commitmentPolicy: CommitmentPolicy): AlgorithmSuite {
  const chosen = suite ?? (commitmentPolicy === "FORBID_ENCRYPT_ALLOW_DECRYPT" ? GCM : COMMITTING_GCM);
  assertMayEncrypt(chosen, commitmentPolicy);
  return chosen;
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-configuration", message);
}
