import type { $Command, S3ClientResolvedConfig, ServiceInputTypes, ServiceOutputTypes } from "@aws-sdk/client-s3";
import {
  CONTEXT_CONTENT_ALGORITHM,
  CONTEXT_KMS_KEY_ID,
  callersStringMap,
  EMPTY_STRING_MAP,
  type StringMap,
} from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { ObjectFormat } from "./options.js";

/** What one call may say about its object. */
export interface EncryptionCallOptions {
  /** Bound by KMS wraps: pass the same entries to read as to write. */
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /** Stored beside raw-key wraps and selects among a keyring's keys; on reading it must equal what is stored. */
  readonly materialDescription?: Readonly<Record<string, string>>;
  /** Instruction file to read or write: `.instruction`, or the suffix that a child keyring was given. */
  readonly instructionFileSuffix?: string;
  /** On reading, use the instruction file although the object's metadata holds a wrapped key too (H17). */
  readonly preferInstructionFile?: boolean;
  /** What to write instead of the client's `writeFormat`; on reading, `"s3"` looks for no message. */
  readonly format?: ObjectFormat;
}

export type S3Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = $Command<
  Input,
  Output,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

// A registered symbol on the input survives middleware that copies the input, and two installed copies of this package.
const CALL_OPTIONS = Symbol.for("@s3ec/call-options");

/**
 * The same command with encryption options, for a plain `S3Client` that has the plugin:
 * `client.send(withEncryptionOptions(new PutObjectCommand(...), { encryptionContext }))`.
 */
export function withEncryptionOptions<
  Input extends ServiceInputTypes,
  Output extends ServiceOutputTypes,
  Command extends S3Command<Input, Output>,
>(command: Command & S3Command<Input, Output>, options: EncryptionCallOptions): Command {
  const input = withCallOptions(command.input, options);
  return Object.assign(Object.create(Object.getPrototypeOf(command)), command, { input });
}

/** A call's encryption options, and what would stop it. */
export interface CarriedOptions extends EncryptionCallOptions {
  readonly abortSignal?: AbortSignal;
}

/** The same input, carrying its call's options to where the command is handled. */
export function withCallOptions<Input extends object>(input: Input, options: CarriedOptions): Input {
  return { ...input, [CALL_OPTIONS]: options };
}

/** The options of a call, checked and copied, as the rest of the client uses them. */
export interface CallOptions {
  readonly encryptionContext: StringMap;
  readonly materialDescription: StringMap | undefined;
  readonly instructionFileSuffix: string | undefined;
  readonly preferInstructionFile: boolean;
  readonly format: ObjectFormat | undefined;
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
    preferInstructionFile = false,
    format,
  } = options;
  if (
    instructionFileSuffix !== undefined &&
    (typeof instructionFileSuffix !== "string" || instructionFileSuffix === "")
  ) {
    throw invalid("instructionFileSuffix must be a text that is not empty.");
  }
  return {
    encryptionContext:
      encryptionContext === undefined ? EMPTY_STRING_MAP : callersStringMap(encryptionContext, "encryptionContext"),
    materialDescription:
      materialDescription === undefined ? undefined : callersStringMap(materialDescription, "materialDescription"),
    instructionFileSuffix,
    preferInstructionFile,
    format,
    abortSignal: options.abortSignal,
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

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
