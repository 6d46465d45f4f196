import { S3EncryptionError, type S3EncryptionErrorCode } from "@s3ec/materials";
import { CommanderError } from "commander";

type Outcome =
  | "ok"
  | "unexpected"
  | "usage"
  | "configuration"
  | "refused"
  | "key"
  | "decryption"
  | "storage"
  | "interrupted"
  | "terminated";

/** What a script can tell apart; `s3ec --help` lists them. */
export const EXIT_CODES: Readonly<Record<Outcome, number>> = Object.freeze({
  ok: 0,
  unexpected: 1,
  usage: 2,
  configuration: 3,
  refused: 4,
  key: 5,
  decryption: 6,
  storage: 7,
  interrupted: 130,
  terminated: 143,
});

export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  an error that none of the following names
  2  wrong arguments
  3  invalid configuration, or no region or credentials
  4  refused: not encrypted, a malformed envelope, or not allowed by the policy
  5  no key: none of the keyrings has it, its store refused, or the wrong encryption context
  6  could not be decrypted: altered, or another key
  7  the file system, S3 or the network failed
  130, 143  interrupted, terminated`;

const BY_CODE: Readonly<Record<S3EncryptionErrorCode, number>> = {
  "not-encrypted": EXIT_CODES.refused,
  "malformed-envelope": EXIT_CODES.refused,
  "commitment-policy": EXIT_CODES.refused,
  "legacy-disabled": EXIT_CODES.refused,
  "context-mismatch": EXIT_CODES.key,
  "no-matching-key": EXIT_CODES.key,
  "key-unavailable": EXIT_CODES.key,
  "decryption-failed": EXIT_CODES.decryption,
  "content-mismatch": EXIT_CODES.decryption,
  "unsupported-operation": EXIT_CODES.refused,
  "invalid-argument": EXIT_CODES.usage,
  "invalid-configuration": EXIT_CODES.configuration,
  "content-too-large": EXIT_CODES.refused,
};

/** A signal asked for the end. */
export class Interruption extends Error {
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super("Interrupted; nothing was left behind.");
    this.exitCode = signal === "SIGINT" ? EXIT_CODES.interrupted : EXIT_CODES.terminated;
  }
}

/** What to say about an error, in a sentence, and what to exit with. Commander has said its own already. */
export function reportOf(error: unknown): { readonly exitCode: number; readonly message?: string } {
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage };
  if (error instanceof Interruption) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof S3EncryptionError) return { exitCode: BY_CODE[error.code] ?? 1, message: error.message };
  if (!(error instanceof Error)) return { exitCode: EXIT_CODES.unexpected, message: "An unknown error happened." };
  if ("code" in error && typeof error.code === "string" && "syscall" in error) {
    return { exitCode: EXIT_CODES.storage, message: systemMessage(error.code, error.message) };
  }
  const missing = missingSetting(error);
  if (missing !== undefined) return { exitCode: EXIT_CODES.configuration, message: missing };
  if ("$metadata" in error) {
    return { exitCode: EXIT_CODES.storage, message: serviceMessage(error) };
  }
  return { exitCode: EXIT_CODES.unexpected, message: sentence(error.message) };
}

/** What the AWS SDK lacks before it asks S3 anything. It says so in errors without a code. */
function missingSetting({ name, message }: Error): string | undefined {
  if (message === "Region is missing") {
    return "There is no region of S3: set AWS_REGION, or s3.region in the configuration.";
  }
  if (name !== "CredentialsProviderError") return undefined;
  return `No AWS credentials can be used: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3.profile in the configuration (${sentence(message)})`;
}

function serviceMessage({ name, message }: Error): string {
  switch (name) {
    case "NoSuchKey":
    case "NotFound":
      return "There is no such object.";
    case "NoSuchBucket":
      return "There is no such bucket.";
    default:
      return `S3 answered ${name}: ${sentence(message)}`;
  }
}

const PRIVATE_FOLDER = /(?:^|(.+)\/)\.s3ec-\w{6}(?:\/partial)?$/;

function systemMessage(code: string, message: string): string {
  // Of the private folder that a download grows in, only the folder around it is the caller's concern.
  const path = /'([^']+)'$/.exec(message)?.[1]?.replace(PRIVATE_FOLDER, (_all, parent = ".") => parent);
  const about = path === undefined ? "" : ` ${path}`;
  switch (code) {
    case "ENOENT":
      return `There is no file or folder${about}.`;
    case "EACCES":
    case "EPERM":
      return `No permission for${about || " that file"}.`;
    case "EISDIR":
      return `${path ?? "That"} is a folder; name a file.`;
    case "ENOSPC":
      return `The disk is full.`;
    case "ECONNREFUSED":
      return `Nothing listens at the endpoint (ECONNREFUSED).`;
    default:
      return sentence(message);
  }
}

function sentence(message: string): string {
  const [line = ""] = message.split("\n");
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
