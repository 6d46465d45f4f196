import { S3EncryptionError } from "@s3ec/materials";
import { sentence } from "./sentence.js";
import { isServiceError } from "./service-message.js";

/** A chain of causes that is longer than this says nothing more. */
const MAX_CAUSES = 8;

/**
 * The error and what caused it, a line each. Messages are shown of errors that are known to hold no key: ours, those of
 * AWS and of the operating system. What decryption failed of stays untold (S16).
 */
export function causesOf(error: unknown): string[] {
  const lines: string[] = [];
  for (let cause: unknown = error; cause instanceof Error && lines.length < MAX_CAUSES; cause = cause.cause) {
    lines.push(`${lines.length === 0 ? "error" : "caused by"}: ${described(cause)}`);
    if (cause instanceof S3EncryptionError && cause.code === "decryption-failed") break;
  }
  return lines;
}

function described(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? ` ${error.code}` : "";
  const name = `${error.name}${code}`;
  if (isServiceError(error)) {
    const { httpStatusCode, requestId } = error.$metadata;
    const answer = [`HTTP ${httpStatusCode ?? "?"}`, ...(requestId === undefined ? [] : [`request ${requestId}`])];
    return sentence(`${name} (${answer.join(", ")}): ${error.message}`);
  }
  const isKnown = error instanceof S3EncryptionError || "syscall" in error || error.name === "CredentialsProviderError";
  return sentence(isKnown ? `${name}: ${error.message}` : `${name} (its message may hold a key and is not shown)`);
}
