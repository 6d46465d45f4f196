import { resolve } from "node:path";
import { COMMITMENT_POLICIES, type CommitmentPolicy } from "@s3ec/envelope";
import { S3_FORMAT_OPTION_NAMES, S3Format, type S3FormatOptions } from "@s3ec/format-s3";
import {
  assertKnownOptions,
  DefaultMaterialsManager,
  type Keyring,
  type MaterialsManager,
  type ObjectFormat,
  type OptionNames,
  S3EncryptionError,
} from "@s3ec/materials";
import { Telemetry } from "./telemetry/telemetry.js";
import type { StepTracer } from "./telemetry/tracer.js";
import { IS_WORKER } from "./this-runtime.js";

/**
 * How a client encrypts and decrypts. What `S3FormatOptions` say is for the format of the S3 encryption clients, which is
 * written and read where `formats` names no others.
 */
export interface S3EncryptionOptions extends S3FormatOptions {
  /** Wraps and unwraps the data keys. Give this or `materialsManager`. */
  readonly keyring?: Keyring;
  /** Gives the data keys: a cache, or a policy of your own. Default: a `DefaultMaterialsManager` around the keyring. */
  readonly materialsManager?: MaterialsManager;
  /** Default `REQUIRE_ENCRYPT_REQUIRE_DECRYPT`: writes and reads committing objects (format V3) only. */
  readonly commitmentPolicy?: CommitmentPolicy;
  /** Release plaintext before the whole object is authenticated; the stream fails at its end instead. Default false. */
  readonly enableDelayedAuthenticationMode?: boolean;
  /** Plaintext bytes that a read may hold in memory until they are authenticated. Default 64 MiB; 32 MiB in a Worker. */
  readonly bufferSize?: number;
  /**
   * Larger objects: their ciphertext is kept in a private temporary file until it is authenticated, in `directory`
   * (default: the system's). `false`, the default in a Worker, turns that off; such reads then fail with
   * `content-too-large`.
   */
  readonly spool?: { readonly directory?: string } | false;
  /**
   * Ranges of 3 MiB that a whole object is fetched in at once, of one version (`If-Match`), where it is not given out before
   * it is authenticated: for connections that are slower than the network. Each is held in memory until it is its turn.
   * Default 1: one answer over one connection.
   */
  readonly parallelRanges?: number;
  /**
   * How objects may be stored: the first is written unless a call says otherwise (`format`), and an object is read by the
   * one that recognises it. Default: `new S3Format()` of `@s3ec/format-s3`, with the options that are given here. For
   * example `[new S3Format(), new AwsMessageFormat()]`, to read messages of the AWS Encryption SDK, too.
   */
  readonly formats?: readonly ObjectFormat[];
  /**
   * Names of refused write commands to let through **unencrypted**, such as `"CreateMultipartUploadCommand"`. Default none.
   */
  readonly allowUnencryptedCommands?: readonly string[];
  /**
   * A tracer of OpenTelemetry's API, such as `trace.getTracer("my-service")`: spans of our own steps go to it, below the one that
   * is active. Never a key, an encryption context, a material description or content. Default: nothing is traced.
   */
  readonly tracer?: StepTracer;
}

/** The options with their defaults, checked. */
export interface ResolvedOptions {
  readonly materialsManager: MaterialsManager;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly enableDelayedAuthenticationMode: boolean;
  readonly bufferSize: number;
  readonly spool: { readonly directory?: string } | false;
  readonly parallelRanges: number;
  /** One or more; the first is written. */
  readonly formats: readonly [ObjectFormat, ...ObjectFormat[]];
  readonly allowUnencryptedCommands: ReadonlySet<string>;
  /** Told of each step: by whom it is heard is up to the client. */
  readonly telemetry: Telemetry;
  /** The same in every copy of these options, of which each call has its own: what a client keeps is found by it. */
  readonly identity: object;
}

export const ENCRYPTION: OptionNames<S3EncryptionOptions> = {
  keyring: true,
  materialsManager: true,
  commitmentPolicy: true,
  encryptionAlgorithm: true,
  enableLegacyWrappingAlgorithms: true,
  enableLegacyUnauthenticatedModes: true,
  enableDelayedAuthenticationMode: true,
  bufferSize: true,
  spool: true,
  parallelRanges: true,
  instructionFileConfig: true,
  wrapPlacement: true,
  describeInAnnotation: true,
  enableUncommittedChildren: true,
  formats: true,
  allowUnencryptedCommands: true,
  tracer: true,
};

// A reader who collects the plaintext holds it twice while they do, beside the ciphertext.
const DEFAULT_BUFFER_SIZE = (IS_WORKER ? 32 : 64) * 1024 * 1024;

export function resolveOptions(
  options: S3EncryptionOptions | undefined,
  usage = "new S3EncryptionClient({ region, encryption: { keyring } })",
): ResolvedOptions {
  if (options === undefined) {
    throw invalid(`Pass the encryption options: ${usage}.`);
  }
  assertKnownOptions(options, ENCRYPTION, "encryption", "invalid-configuration");
  const { keyring, materialsManager, commitmentPolicy = "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" } = options;
  const { enableDelayedAuthenticationMode = false } = options;
  // Texts are true, "false" among them.
  if (typeof enableDelayedAuthenticationMode !== "boolean") {
    throw invalid("enableDelayedAuthenticationMode must be true or false.");
  }
  if ((keyring === undefined) === (materialsManager === undefined)) {
    throw invalid("Give either a keyring or a materialsManager to the encryption client, not both and not neither.");
  }
  if (!COMMITMENT_POLICIES.includes(commitmentPolicy)) {
    throw invalid(`commitmentPolicy must be one of ${COMMITMENT_POLICIES.join(", ")}.`);
  }
  const formats = resolveFormats(options);
  formats[0].assertMayWrite(commitmentPolicy);
  const { bufferSize = DEFAULT_BUFFER_SIZE, spool = IS_WORKER ? false : {} } = options;
  const { parallelRanges = 1, allowUnencryptedCommands = [], tracer } = options;
  if (!Number.isSafeInteger(bufferSize) || bufferSize < 0) {
    throw invalid("bufferSize must be a number of bytes, 0 or more.");
  }
  if (!Number.isSafeInteger(parallelRanges) || parallelRanges < 1) {
    throw invalid("parallelRanges must be a whole number, 1 or more.");
  }
  if (!Array.isArray(allowUnencryptedCommands) || allowUnencryptedCommands.some((name) => typeof name !== "string")) {
    throw invalid("allowUnencryptedCommands must be a list of the commands' names.");
  }
  if (tracer !== undefined && typeof tracer?.startActiveSpan !== "function") {
    throw invalid("tracer must be a tracer of OpenTelemetry's API, such as trace.getTracer(name).");
  }
  if (spool !== false) assertKnownOptions(spool, { directory: true }, "spool", "invalid-configuration");
  return {
    materialsManager: materialsManager ?? managerOf(keyring),
    commitmentPolicy,
    enableDelayedAuthenticationMode,
    bufferSize,
    spool: spool === false ? spool : absolute(spool),
    parallelRanges,
    formats,
    allowUnencryptedCommands: new Set(allowUnencryptedCommands),
    telemetry: new Telemetry(tracer),
    identity: {},
  };
}

/** The process may go to another folder meanwhile. */
function absolute({ directory }: { readonly directory?: string }): { readonly directory?: string } {
  return directory === undefined ? {} : { directory: resolve(directory) };
}

function resolveFormats(options: S3EncryptionOptions): readonly [ObjectFormat, ...ObjectFormat[]] {
  const { formats } = options;
  const given = S3_FORMAT_OPTION_NAMES.filter((name) => options[name] !== undefined);
  if (formats === undefined) {
    return [new S3Format(Object.fromEntries(given.map((name) => [name, options[name]])))];
  }
  const [stray] = given;
  if (stray !== undefined) {
    throw invalid(`Beside formats, ${stray} has no effect: pass it to the format, as in new S3Format({ ${stray} }).`);
  }
  const [first, ...others] = Array.isArray(formats) ? formats : [];
  if (first === undefined) throw invalid("formats must be an array of one or more, such as [new S3Format()].");
  for (const format of [first, ...others]) {
    const isFormat = typeof format?.name === "string" && METHODS.every((name) => typeof format[name] === "function");
    if (!isFormat) throw invalid("Each of formats must be an object format, such as new S3Format().");
  }
  const names = formats.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`Two of formats are named "${twice}"; a call could not name either.`);
  return [first, ...others];
}

const METHODS = ["recognise", "open", "seal", "inspect"] as const satisfies readonly (keyof ObjectFormat)[];

/** The format that a call writes: the one that it names, or the client's first. */
export function formatToWrite(
  options: ResolvedOptions,
  { format }: { readonly format: string | undefined },
): ObjectFormat {
  return format === undefined ? options.formats[0] : formatNamed(options, format);
}

/** The format that a call names; throws `invalid-argument` where the client was not given it. */
export function formatNamed({ formats }: ResolvedOptions, name: string): ObjectFormat {
  const format = formats.find((candidate) => candidate.name === name);
  if (format !== undefined) return format;
  const names = formats.map((candidate) => `"${candidate.name}"`).join(" or ");
  throw new S3EncryptionError(
    "invalid-argument",
    `format must be ${names}, which this client was given; name others in the client's formats.`,
  );
}

function managerOf(keyring: Keyring | undefined): MaterialsManager {
  if (keyring === undefined) throw invalid("Give a keyring to the encryption client.");
  return new DefaultMaterialsManager(keyring);
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-configuration", message);
}
