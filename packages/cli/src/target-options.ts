import type { KeepOptions, Loss } from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import { type Command, InvalidArgumentError } from "commander";
import { entry, listed } from "./command-options.js";
import type { ConnectionOptions } from "./connection.js";

type Entries = Readonly<Record<string, string>>;

/** What a command is told of an object that it reads. */
export interface ReadingOptions extends ConnectionOptions {
  readonly suffix?: string;
  readonly context?: Entries;
  readonly description?: Entries;
}

/** The same of one that gives it another key. */
export interface TargetOptions extends ReadingOptions {
  /** The configuration of that key; of the same file where only `toUse` is named. */
  readonly to?: string;
  readonly toUse?: string;
  /** False where none is to be bound. */
  readonly toContext?: Entries | false;
  readonly toDescription?: Entries;
}

/** How an object is written again with everything that has to stay. */
export interface KeepingOptions {
  readonly allowLoss?: readonly string[];
  readonly kmsContext?: Entries;
  readonly checksTarget?: boolean;
  readonly settleTime?: number;
}

/** Options that say whose key it is. */
export function withTarget(command: Command, whose: string): Command {
  return command
    .option("--to <FILE>", `the configuration whose key wraps ${whose}`)
    .option("--to-use <NAME>", "which configuration of that file, or of --config")
    .option("--to-context <k=v>", "its encryption context (repeatable); default: that of --context", entry)
    .option("--no-to-context", "it binds no encryption context, such as a raw key, whatever --context is")
    .option("--to-description <k=v>", "its material description (repeatable)", entry);
}

/** Options of what has to stay of an object that is written again. */
export function withKeeping(command: Command): Command {
  return command
    .option("--allow-loss <NAME>", "let this of the object get lost (repeatable)", listed)
    .option("--kms-context <k=v>", "the object's own encryption context of SSE-KMS, to be kept (repeatable)", entry)
    .option("--checks-target", "the store checks conditions on what a copy replaces, as S3 of AWS does")
    .option(
      "--settle-time <MS>",
      "within which the store's clock tells no two changes apart (default: 2000)",
      milliseconds,
    );
}

/** The other configuration; both are undefined where it is the same. */
export function configurationOf({ to, toUse }: TargetOptions): { readonly config?: string; readonly use?: string } {
  return { ...(to === undefined ? {} : { config: to }), ...(toUse === undefined ? {} : { use: toUse }) };
}

/** What the functions of the client are told of reading. */
export function reading({ suffix, context, description }: ReadingOptions): {
  readonly encryptionContext?: Entries;
  readonly materialDescription?: Entries;
  readonly instructionFileSuffix?: string;
} {
  return {
    ...(context === undefined ? {} : { encryptionContext: context }),
    ...(description === undefined ? {} : { materialDescription: description }),
    ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
  };
}

/** What they are told of the new key's wrap. */
export function writing({ toContext, toDescription }: TargetOptions): {
  readonly encryptionContext?: Entries;
  readonly materialDescription?: Entries;
} {
  return reading({
    ...(toContext === undefined ? {} : { context: toContext === false ? {} : toContext }),
    ...(toDescription === undefined ? {} : { description: toDescription }),
  });
}

/** What they are told of what has to stay. */
export function keeping({ allowLoss = [], kmsContext, checksTarget, settleTime }: KeepingOptions): KeepOptions {
  return {
    // Whatever is no loss is refused by its name.
    allowLoss: allowLoss as readonly Loss[],
    ...(kmsContext === undefined
      ? {}
      : { SSEKMSEncryptionContext: Buffer.from(JSON.stringify(kmsContext)).toString("base64") }),
    ...(checksTarget === undefined ? {} : { checksTarget }),
    ...(settleTime === undefined ? {} : { settleTime }),
  };
}

/** Throws `invalid-argument` with this sentence where nothing says whose key it is. */
export function requireTarget(isNamed: boolean, sentence: string): void {
  if (!isNamed) throw new S3EncryptionError("invalid-argument", sentence);
}

function milliseconds(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number of milliseconds.");
}
