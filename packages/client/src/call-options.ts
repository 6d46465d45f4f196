import type {
  $Command,
  S3Client,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import {
  CONTEXT_CONTENT_ALGORITHM,
  CONTEXT_KMS_KEY_ID,
  callersStringMap,
  EMPTY_STRING_MAP,
  type StringMap,
} from "@s3ec/envelope";
import { assertKnownOptions, type ObjectRequest, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import type { ResolvedOptions } from "./options.js";
import { optionsOfParams } from "./params-options.js";
import { abortSignalOf } from "./request-aborted.js";
import { watchedManager } from "./telemetry/watched-manager.js";

/** What one call may say about its object. */
export interface EncryptionCallOptions {
  /** Bound by KMS wraps: pass the same entries to read as to write. */
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /** Stored beside raw-key wraps and selects among a keyring's keys; on reading it must equal what is stored. */
  readonly materialDescription?: Readonly<Record<string, string>>;
  /** Instruction file to read or write: `.instruction`, or the suffix that a child keyring was given. */
  readonly instructionFileSuffix?: string;
  /**
   * On reading and copying, the version of the instruction file, as S3 answered when it was put. Without it, and with a
   * version of an object that tells which file is its own, those nearest in time are tried; default otherwise: the current
   * one.
   */
  readonly instructionFileVersionId?: string;
  /** On reading, use the instruction file although the object's metadata holds a wrapped key too (H17). */
  readonly preferInstructionFile?: boolean;
  /** Name of the format to write instead of the client's first; on reading, the only one that is looked for. */
  readonly format?: string;
}

/** What an `S3Client` takes of a command: who is given its class, as other packages are, asks for more than the SDK does. */
export type S3Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = Pick<
  $Command<Input, Output, S3ClientResolvedConfig, ServiceInputTypes, ServiceOutputTypes>,
  "input" | "middlewareStack" | "resolveMiddleware"
>;

/** What the SDK takes with a call: `abortSignal`, `requestTimeout`. */
export type RequestOptions = NonNullable<Parameters<S3Client["send"]>[1]>;

/** What a client that encrypts takes with a call. */
export type SendOptions = RequestOptions & EncryptionCallOptions;

export const CALL: OptionNames<EncryptionCallOptions> = {
  encryptionContext: true,
  materialDescription: true,
  instructionFileSuffix: true,
  instructionFileVersionId: true,
  preferInstructionFile: true,
  format: true,
};

/** With what the SDK reads of them, some of which its types leave out. */
const SEND: OptionNames<SendOptions> = Object.freeze({
  ...CALL,
  abortSignal: true,
  requestTimeout: true,
  isEventStream: true,
  metricsRecorder: true,
});

// A registered symbol on the input survives middleware that copies the input, and two installed copies of this package.
const CALL_OPTIONS = Symbol.for("@s3ec/call-options");

/** A command as it is sent, and what of its call's options is the SDK's; undefined for nothing. */
export interface PreparedCall<Command> {
  readonly command: Command;
  readonly request: RequestOptions | undefined;
}

/**
 * Takes a call's options apart. The command, a copy, carries those of the encryption to the middleware, and refuses to go
 * out where there is none any more. Throws `invalid-argument` for an option that neither knows.
 */
export function prepareCall<Command extends S3Command<ServiceInputTypes, ServiceOutputTypes>>(
  command: Command,
  options: SendOptions,
): PreparedCall<Command> {
  assertKnownOptions(options, SEND, "send");
  assertNotInInput(command.input);
  const call: Record<string, unknown> = {};
  const request: Record<string, unknown> = {};
  for (const [name, value] of [...Object.entries(optionsOfParams(command.input)), ...Object.entries(options)]) {
    if (value === undefined) continue;
    (Object.hasOwn(CALL, name) ? call : request)[name] = value;
  }
  const abortSignal = abortSignalOf(request.abortSignal);
  if (abortSignal !== undefined) {
    request.abortSignal = abortSignal;
    // An upload in parts is several requests, and the SDK hands the signal to the first of them only.
    call.abortSignal = abortSignal;
  }
  const input = withCallOptions(command.input, call);
  const middlewareStack = command.middlewareStack.clone();
  middlewareStack.add(
    (next) => async (args) => {
      if (CALL_OPTIONS in args.input) throw notEncrypting();
      return next(args);
    },
    { step: "initialize", priority: "low", name: "s3EncryptionGuard", override: true },
  );
  return {
    command: Object.assign(Object.create(Object.getPrototypeOf(command)), command, { input, middlewareStack }),
    // Without any, the SDK may use a handler that it has cached.
    request: Object.keys(request).length === 0 ? undefined : request,
  };
}

/** How an option may stand in an input: as it is, or in the SDK's capitals; `Format` alone could be a name of its own. */
const MISPLACED: readonly (readonly [spelt: string, name: string])[] = Object.keys(CALL).flatMap(
  (name): [string, string][] =>
    name === "format"
      ? [[name, name]]
      : [
          [name, name],
          [`${name.charAt(0).toUpperCase()}${name.slice(1)}`, name],
        ],
);

/** The SDK ignores what it does not know of an input, and the object would be written without what it asks for (S10). */
function assertNotInInput(input: object): void {
  const [, misplaced] = MISPLACED.find(([spelt]) => spelt in input) ?? [];
  if (misplaced === undefined) return;
  throw invalid(
    `Pass ${misplaced} beside the command, not in it: client.send(command, { ${misplaced} }); or put it into the params of others' commands by withEncryptionOptions(params, { ${misplaced} }).`,
  );
}

/** A call's encryption options, and what would stop it. */
export interface CarriedOptions extends EncryptionCallOptions {
  readonly abortSignal?: AbortSignal;
}

/** The same input, carrying its call's options to where the command is handled. */
export function withCallOptions<Input extends object>(input: Input, options: CarriedOptions): Input {
  return { ...input, [CALL_OPTIONS]: options };
}

/** As the SDK and S3 know an input; what remains with call options was not handled by the encryption. */
export function withoutCallOptions<Input extends object>(input: Input): Input {
  const { [CALL_OPTIONS]: _, ...bare }: Input & { [CALL_OPTIONS]?: unknown } = input;
  return bare as unknown as Input;
}

/** Whether an input came through the client's `send`, and is going to be sent. */
export function carriesCallOptions(input: object): boolean {
  return CALL_OPTIONS in input;
}

const OF_UPLOADS: ReadonlySet<string> = new Set([
  "CreateMultipartUploadCommand",
  "UploadPartCommand",
  "CompleteMultipartUploadCommand",
]);

const CALLS: ReadonlySet<string | undefined> = new Set([
  "PutObjectCommand",
  "GetObjectCommand",
  "DeleteObjectCommand",
  "DeleteObjectsCommand",
  "CopyObjectCommand",
  ...OF_UPLOADS,
]);

/**
 * Refuses what did not come through the client's `send`, where a call's options, such as the context to bind, are taken:
 * a command that is being presigned, or that middleware gave another input.
 */
export function assertCarriesCallOptions(
  commandName: string | undefined,
  input: object,
  allowed: ReadonlySet<string>,
): void {
  if (!CALLS.has(commandName) || carriesCallOptions(input)) return;
  // One of an upload, which may go past the encryption.
  if (commandName !== undefined && OF_UPLOADS.has(commandName) && allowed.has(commandName)) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `${commandName} did not come through the encrypting client's send(). With a presigned URL its holder would store plaintext, or be given ciphertext, and call options would be lost: send the command; to read, use presignGet, or presign with a plain S3Client.`,
  );
}

/**
 * Refuses what names no object, before a key is used for it, or a key plus a suffix is taken for that of a file beside it:
 * the SDK does so only when it makes the request. Throws `invalid-argument`.
 */
export function assertNamesObject(commandName: string | undefined, input: object): void {
  if (!CALLS.has(commandName)) return;
  for (const name of commandName === "DeleteObjectsCommand" ? ["Bucket"] : ["Bucket", "Key"]) {
    const value: unknown = Reflect.get(input, name);
    if (typeof value !== "string" || value === "")
      throw invalid(`${commandName} must name a ${name}, a text that is not empty.`);
  }
}

function notEncrypting(): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-configuration",
    "The encryption was removed from the client's middleware stack. Nothing was sent, since it would be in the clear.",
  );
}

/** The options of a call, checked and copied, as the rest of the client uses them. */
export interface CallOptions {
  readonly encryptionContext: StringMap;
  readonly materialDescription: StringMap | undefined;
  readonly instructionFileSuffix: string | undefined;
  readonly instructionFileVersionId: string | undefined;
  readonly preferInstructionFile: boolean;
  readonly format: string | undefined;
  readonly abortSignal: AbortSignal | undefined;
}

export function callOptionsOf(input: object): CallOptions {
  const given: unknown = Reflect.get(input, CALL_OPTIONS) ?? {};
  if (typeof given !== "object" || given === null) throw invalid("Encryption options must be an object.");
  const options: CarriedOptions = given;
  const {
    encryptionContext,
    materialDescription,
    instructionFileSuffix,
    instructionFileVersionId,
    preferInstructionFile = false,
    format,
  } = options;
  for (const [name, value] of Object.entries({ instructionFileSuffix, instructionFileVersionId })) {
    if (value === undefined || (typeof value === "string" && value !== "")) continue;
    throw invalid(`${name} must be a text that is not empty.`);
  }
  if (typeof preferInstructionFile !== "boolean") throw invalid("preferInstructionFile must be true or false.");
  return {
    encryptionContext:
      encryptionContext === undefined ? EMPTY_STRING_MAP : callersStringMap(encryptionContext, "encryptionContext"),
    materialDescription:
      materialDescription === undefined ? undefined : callersStringMap(materialDescription, "materialDescription"),
    instructionFileSuffix,
    instructionFileVersionId,
    preferInstructionFile,
    format,
    abortSignal: abortSignalOf(options.abortSignal),
  };
}

/**
 * Names that the formats use for themselves cannot be the caller's on writing (S17). Other clients have let them be, so
 * what is stored with them is read.
 */
export function refuseReservedNames({ encryptionContext, materialDescription }: CallOptions): void {
  for (const [what, map] of Object.entries({ encryptionContext, materialDescription })) {
    const reserved = Object.keys(map ?? {}).find(isReserved);
    if (reserved === undefined) continue;
    throw invalid(`${what} must not hold "${reserved}", which is reserved for the encryption client.`);
  }
}

function isReserved(name: string): boolean {
  return name === CONTEXT_CONTENT_ALGORITHM || name === CONTEXT_KMS_KEY_ID || name.toLowerCase().startsWith("x-amz-");
}

/** What a format is asked with, to open or to seal an object. */
export function requestOf(
  { materialsManager, commitmentPolicy, telemetry }: ResolvedOptions,
  { encryptionContext, materialDescription, instructionFileSuffix }: CallOptions,
  { Bucket: bucket, Key: key }: { readonly Bucket?: string | undefined; readonly Key?: string | undefined },
): ObjectRequest {
  return {
    materialsManager: watchedManager(materialsManager, telemetry),
    commitmentPolicy,
    encryptionContext,
    bucket,
    key,
    ...(materialDescription === undefined ? {} : { materialDescription }),
    ...(instructionFileSuffix === undefined ? {} : { siblingSuffix: instructionFileSuffix }),
  };
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
