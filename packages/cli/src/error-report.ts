import { fileSentence } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { CommanderError } from "commander";
import { EXIT_CODE_OF, EXIT_CODES, NothingThere, Verdict } from "./exit-codes.js";
import { Interruption } from "./interruption.js";
import { asConfigured, asOptions } from "./option-names.js";
import { sentence } from "./sentence.js";
import { isServiceError, serviceMessage } from "./service-message.js";

/** What to say about an error, and what to exit with. */
export interface ErrorReport {
  readonly exitCode: number;
  /** For programs; undefined where nothing failed, or the command has told of each that did. */
  readonly code?: string;
  /** A sentence. Commander has said its own already. */
  readonly message?: string;
}

/** What to say about an error, in a sentence, and what to exit with. */
export function reportOf(error: unknown): ErrorReport {
  if (error instanceof CommanderError) {
    return error.exitCode === 0
      ? { exitCode: EXIT_CODES.ok }
      : { exitCode: EXIT_CODES.usage, code: "invalid-argument" };
  }
  if (error instanceof Verdict) return { exitCode: error.exitCode };
  const { exitCode, message } = saidOf(error);
  return { exitCode, code: codeOf(error, exitCode), message };
}

/** What a program tells an error by: a code of ours, of the system, or the name that a service gave it. */
export function codeOf(error: unknown, exitCode?: number): string {
  if (error instanceof NothingThere) return "nothing-there";
  if (error instanceof Interruption) return "interrupted";
  if (exitCode === EXIT_CODES.configuration) return "invalid-configuration";
  if (!(error instanceof Error)) return "unexpected";
  if ("code" in error && typeof error.code === "string") return error.code;
  return isServiceError(error) ? error.name : "unexpected";
}

function saidOf(error: unknown): { readonly exitCode: number; readonly message: string } {
  if (error instanceof NothingThere) return { exitCode: EXIT_CODES.storage, message: error.message };
  if (error instanceof Interruption) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof S3EncryptionError) {
    const missing = error.cause instanceof Error ? missingSetting(error.cause) : undefined;
    if (missing !== undefined) return { exitCode: EXIT_CODES.configuration, message: missing };
    const exitCode = isOfDisk(error) ? EXIT_CODES.storage : (EXIT_CODE_OF[error.code] ?? 1);
    // Of a configuration they say what is in it, as it is called there.
    return {
      exitCode,
      message: error.code === "invalid-configuration" ? asConfigured(error.message) : asOptions(error.message),
    };
  }
  if (!(error instanceof Error)) return { exitCode: EXIT_CODES.unexpected, message: "An unknown error happened." };
  // Of a connection that ends in the middle of an answer, Node names no system call.
  if ("code" in error && typeof error.code === "string" && ("syscall" in error || error.code === "ECONNRESET")) {
    return { exitCode: EXIT_CODES.storage, message: systemMessage(error.code, error.message) };
  }
  const missing = missingSetting(error);
  if (missing !== undefined) return { exitCode: EXIT_CODES.configuration, message: missing };
  if (isServiceError(error)) return { exitCode: EXIT_CODES.storage, message: serviceMessage(error) };
  return { exitCode: EXIT_CODES.unexpected, message: sentence(error.message) };
}

/** What the file system has refused: of the sizes and arguments that other causes have, the caller was wrong. */
function isOfDisk({ code, cause }: S3EncryptionError): boolean {
  if (!(cause instanceof Error) || !("code" in cause)) return false;
  if (cause.code === "ENOSPC" || cause.code === "EDQUOT") return true;
  return code === "invalid-argument" && "syscall" in cause;
}

/** What the AWS SDK lacks before it asks S3 anything. It says so in errors without a code. */
function missingSetting({ name, message }: Error): string | undefined {
  if (message === "Region is missing") {
    return "There is no region: set AWS_REGION, or s3.region and kms.region in the configuration (keygen kms takes --region); or try it on a local server, without an account (--dev, --dev-server).";
  }
  if (name !== "CredentialsProviderError") return undefined;
  return `No AWS credentials can be used: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3.profile in the configuration (${sentence(message)})`;
}

const UNNAMED = /(?:^|(.+)\/)\.s3ec-[\w-]+(?:\/[\w.-]+)?$/;

function systemMessage(code: string, message: string): string {
  // Of the unnamed file or private folder that a download grows in, only the folder around it is the caller's concern.
  const path = /'([^']+)'$/.exec(message)?.[1]?.replace(UNNAMED, (_all, parent = ".") => parent);
  switch (code) {
    case "EPIPE":
      return "Whoever reads the output stopped before its end (EPIPE).";
    case "ECONNRESET":
      return "The connection broke off (ECONNRESET): do it again.";
    case "ECONNREFUSED":
      return `Nothing listens at the endpoint (ECONNREFUSED).`;
    default:
      return fileSentence(code, path) ?? sentence(message);
  }
}
