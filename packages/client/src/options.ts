import {
  type AlgorithmSuite,
  type AlgorithmSuiteName,
  algorithmSuite,
  assertMayEncrypt,
  COMMITMENT_POLICIES,
  COMMITTING_GCM,
  type CommitmentPolicy,
  type DecryptionPolicy,
  GCM,
  type WrapPlacement,
} from "@s3ec/envelope";
import {
  assertKnownOptions,
  DefaultMaterialsManager,
  type Keyring,
  type MaterialsManager,
  type MessageFormat,
  type OptionNames,
  S3EncryptionError,
} from "@s3ec/materials";

/** Where wrapped keys go when not into the object's own metadata. */
export interface InstructionFileConfig {
  /** Write the wrapped key to `<key>.instruction` instead of the object's metadata. Default false. */
  readonly enableInstructionFilePutObject?: boolean;
  /** Never look for instruction files on reading. Default false. */
  readonly disableInstructionFile?: boolean;
  /** Suffix to read, verbatim, and to write, with one leading dot (H16). Default `.instruction`. */
  readonly suffix?: string;
  /**
   * Replace, for good, instruction files that may not be read (403), or that are of no object that stands: another put is
   * under way, or one has broken off. Default false: the put is refused before anything is lost.
   */
  readonly replaceUnknownFiles?: boolean;
}

/** One of the formats of the S3 encryption clients, or a message. */
export type ObjectFormat = "s3" | "message";

export interface S3EncryptionOptions {
  /** Wraps and unwraps the data keys. Give this or `materialsManager`. */
  readonly keyring?: Keyring;
  readonly materialsManager?: MaterialsManager;
  /** Default `REQUIRE_ENCRYPT_REQUIRE_DECRYPT`: writes and reads committing objects (format V3) only. */
  readonly commitmentPolicy?: CommitmentPolicy;
  /** Default: what the policy asks for. */
  readonly encryptionAlgorithm?: AlgorithmSuiteName;
  /** Read wraps that do not bind the content algorithm (`kms`, `AESWrap`, ...). Default false. */
  readonly enableLegacyWrappingAlgorithms?: boolean;
  /** Read CBC content and byte ranges, neither of which is authenticated. Default false. */
  readonly enableLegacyUnauthenticatedModes?: boolean;
  /** Release plaintext before the whole object is authenticated; the stream fails at its end instead. Default false. */
  readonly enableDelayedAuthenticationMode?: boolean;
  /** Plaintext bytes that a read may hold in memory until they are authenticated. Default 64 MiB. */
  readonly bufferSize?: number;
  /**
   * Larger objects: their ciphertext is kept in a private temporary file until it is authenticated, in `directory`
   * (default: the system's). `false` turns that off; such reads then fail with `content-too-large`.
   */
  readonly spool?: { readonly directory?: string } | false;
  readonly instructionFileConfig?: InstructionFileConfig;
  /**
   * Where the wrapped keys of a keyring with children go. `"metadata"`, the default: the generator's into the object's own
   * metadata, in one request with the object; the children's into instruction files after it, where this client finds
   * them. `"instruction-files"`: all into files, before the object, for children that are read by another client.
   */
  readonly wrapPlacement?: WrapPlacement;
  /** Write children's wrapped keys for objects without key commitment (V2, rule S19 of docs/formats.md). Default false. */
  readonly enableUncommittedChildren?: boolean;
  /**
   * Also read objects that are messages, such as `new AwsMessageFormat()` of `@s3ec/format-aws-message`, and write them
   * where `writeFormat` or a call's `format` says so. Default: the S3 formats only.
   */
  readonly messageFormat?: MessageFormat;
  /** What is written unless a call says otherwise. Default `"s3"`. */
  readonly writeFormat?: ObjectFormat;
  /**
   * Names of refused write commands to let through **unencrypted**, such as `"CreateMultipartUploadCommand"`. Default none.
   */
  readonly allowUnencryptedCommands?: readonly string[];
}

/** The options with their defaults, checked. */
export interface ResolvedOptions extends DecryptionPolicy {
  readonly materialsManager: MaterialsManager;
  readonly suite: AlgorithmSuite;
  readonly enableDelayedAuthenticationMode: boolean;
  readonly bufferSize: number;
  readonly spool: { readonly directory?: string } | false;
  readonly instructionFiles: {
    readonly write: boolean;
    readonly read: boolean;
    readonly suffix: string | undefined;
    readonly replaceUnknown: boolean;
  };
  readonly wrapPlacement: WrapPlacement;
  readonly enableUncommittedChildren: boolean;
  readonly messageFormat: MessageFormat | undefined;
  readonly writeFormat: ObjectFormat;
  readonly allowUnencryptedCommands: ReadonlySet<string>;
}

const OPTIONS: OptionNames<S3EncryptionOptions> = {
  keyring: true,
  materialsManager: true,
  commitmentPolicy: true,
  encryptionAlgorithm: true,
  enableLegacyWrappingAlgorithms: true,
  enableLegacyUnauthenticatedModes: true,
  enableDelayedAuthenticationMode: true,
  bufferSize: true,
  spool: true,
  instructionFileConfig: true,
  wrapPlacement: true,
  enableUncommittedChildren: true,
  messageFormat: true,
  writeFormat: true,
  allowUnencryptedCommands: true,
};

const INSTRUCTION_FILE_CONFIG: OptionNames<InstructionFileConfig> = {
  enableInstructionFilePutObject: true,
  disableInstructionFile: true,
  suffix: true,
  replaceUnknownFiles: true,
};

const DEFAULT_BUFFER_SIZE = 64 * 1024 * 1024;

const SWITCHES = [
  "enableLegacyWrappingAlgorithms",
  "enableLegacyUnauthenticatedModes",
  "enableDelayedAuthenticationMode",
  "enableUncommittedChildren",
] as const satisfies readonly (keyof S3EncryptionOptions)[];

export function resolveOptions(options: S3EncryptionOptions | undefined): ResolvedOptions {
  if (options === undefined) {
    throw invalid("Pass the encryption options: new S3EncryptionClient({ region, encryption: { keyring } }).");
  }
  assertKnownOptions(options, OPTIONS, "encryption", "invalid-configuration");
  for (const name of SWITCHES) {
    // Texts are true, "false" among them.
    if (!["boolean", "undefined"].includes(typeof options[name])) throw invalid(`${name} must be true or false.`);
  }
  const { keyring, materialsManager, commitmentPolicy = "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" } = options;
  if ((keyring === undefined) === (materialsManager === undefined)) {
    throw invalid("Give either a keyring or a materialsManager to the encryption client, not both and not neither.");
  }
  if (!COMMITMENT_POLICIES.includes(commitmentPolicy)) {
    throw invalid(`commitmentPolicy must be one of ${COMMITMENT_POLICIES.join(", ")}.`);
  }
  const forbidsCommitment = commitmentPolicy === "FORBID_ENCRYPT_ALLOW_DECRYPT";
  const suite =
    options.encryptionAlgorithm === undefined
      ? forbidsCommitment
        ? GCM
        : COMMITTING_GCM
      : algorithmSuite(options.encryptionAlgorithm);
  assertMayEncrypt(suite, commitmentPolicy);
  const { bufferSize = DEFAULT_BUFFER_SIZE, instructionFileConfig = {} } = options;
  if (!Number.isSafeInteger(bufferSize) || bufferSize < 0)
    throw invalid("bufferSize must be a number of bytes, 0 or more.");
  assertKnownOptions(instructionFileConfig, INSTRUCTION_FILE_CONFIG, "instructionFileConfig", "invalid-configuration");
  const { enableInstructionFilePutObject = false, disableInstructionFile = false, suffix } = instructionFileConfig;
  const { replaceUnknownFiles = false } = instructionFileConfig;
  const { wrapPlacement = "metadata" } = options;
  if (wrapPlacement !== "metadata" && wrapPlacement !== "instruction-files") {
    throw invalid('wrapPlacement must be "metadata" or "instruction-files".');
  }
  if (suffix === "") throw invalid("instructionFileConfig.suffix must not be empty; leave it out for .instruction.");
  if (enableInstructionFilePutObject && disableInstructionFile) {
    throw invalid("Instruction files cannot be disabled and written at once; choose one in instructionFileConfig.");
  }
  const { messageFormat, writeFormat = "s3" } = options;
  if (messageFormat !== undefined && typeof messageFormat.parseHeader !== "function") {
    throw invalid(
      "messageFormat must be a message format, such as new AwsMessageFormat() of @s3ec/format-aws-message.",
    );
  }
  assertFormat(messageFormat, writeFormat, "writeFormat");
  const { spool = {}, allowUnencryptedCommands = [] } = options;
  if (!Array.isArray(allowUnencryptedCommands) || allowUnencryptedCommands.some((name) => typeof name !== "string")) {
    throw invalid("allowUnencryptedCommands must be a list of the commands' names.");
  }
  if (spool !== false) assertKnownOptions(spool, { directory: true }, "spool", "invalid-configuration");
  return {
    materialsManager: materialsManager ?? managerOf(keyring),
    suite,
    commitmentPolicy,
    enableLegacyWrappingAlgorithms: options.enableLegacyWrappingAlgorithms ?? false,
    enableLegacyUnauthenticatedModes: options.enableLegacyUnauthenticatedModes ?? false,
    enableDelayedAuthenticationMode: options.enableDelayedAuthenticationMode ?? false,
    bufferSize,
    spool,
    instructionFiles: {
      write: enableInstructionFilePutObject,
      read: !disableInstructionFile,
      suffix,
      replaceUnknown: replaceUnknownFiles,
    },
    wrapPlacement,
    enableUncommittedChildren: options.enableUncommittedChildren ?? false,
    messageFormat,
    writeFormat,
    allowUnencryptedCommands: new Set(allowUnencryptedCommands),
  };
}

/** Refuses a format that nobody knows, and messages where there is no message format to write them. */
export function assertFormat(messageFormat: MessageFormat | undefined, format: ObjectFormat, what: string): void {
  if (format !== "s3" && format !== "message") throw invalid(`${what} must be "s3" or "message".`);
  if (format === "message" && messageFormat === undefined) {
    throw invalid(`${what} "message" needs a messageFormat among the client's encryption options.`);
  }
}

function managerOf(keyring: Keyring | undefined): MaterialsManager {
  if (keyring === undefined) throw invalid("Give a keyring to the encryption client.");
  return new DefaultMaterialsManager(keyring);
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-configuration", message);
}
