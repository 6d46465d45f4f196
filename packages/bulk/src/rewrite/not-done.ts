import { httpStatusOf } from "@s3ec/client";
import { isError, S3EncryptionError, type S3EncryptionErrorCode, UnopenedWrapError } from "@s3ec/materials";
import type { PartlyDone, Result } from "./rewriting.js";
import type { RewrittenObject } from "./rewritten-object.js";

type NotDone = Pick<RewrittenObject, "outcome" | "code" | "problem" | "todo">;

/** What may not be done as it is asked for: the same call refuses it again. */
const REFUSALS: ReadonlySet<S3EncryptionErrorCode> = new Set([
  "unsupported-operation",
  "legacy-disabled",
  "commitment-policy",
  "invalid-argument",
  "content-too-large",
]);

const AGAIN = "Run it again.";

const TODO: Readonly<Partial<Record<S3EncryptionErrorCode, string>>> = {
  "content-mismatch": `What others wrote stands. ${AGAIN}`,
  "outcome-unknown": `It can be read by the old key or the new one. ${AGAIN}`,
  "instruction-file-failed": `The object is done, and a file or annotation of it is not. ${AGAIN}`,
  "no-matching-key": "Read it with the key that it was written for.",
  "decryption-failed":
    "Read it with the key that it was written for; where that is the one, it was altered: restore it.",
  "context-mismatch": "Pass the encryption context that it was written with.",
  "key-unavailable": `See to the key, or to the permission for it. ${AGAIN}`,
  "malformed-envelope": "It was altered, or is of another product: restore it.",
  "not-encrypted": "Its wrapped key is missing: restore its instruction file, or name its suffix.",
};

/** Its code is that of a wrap that the old key does not open. */
const UNOPENED =
  'Give the new keyring its private key, or the right to decrypt; where the key is somebody else\'s, say so: verify: "none" (--verify none).';

/** Of a version that is not the current one. */
export const OLDER = {
  outcome: "refused",
  code: "unsupported-operation",
  problem: "It is an older version, which keeps its wrapped key, and needs its key for as long as it is kept.",
  todo: "Keep the old key, or let a lifecycle rule remove noncurrent versions.",
} as const;

/** Of what may be a message, to a client that reads none. */
export const MESSAGE = {
  outcome: "refused",
  code: "not-encrypted",
  problem: "It begins like a message of the AWS Encryption SDK, which this client was not told to read.",
  todo: "Look at it (s3ec inspect). Where it is one, add the format of messages to the client's formats.",
} as const;

/** Something was changed, so that nothing of it is only refused, or passed by. */
export function partly({ message, done }: PartlyDone, not: Result): Result {
  if (not.outcome === "nothing") return not;
  const outcome = not.outcome === "unknown" ? "unknown" : "failed";
  return { ...not, ...done, outcome, problem: [message, not.problem].filter((text) => text !== undefined).join(" ") };
}

/** Of what a filter could not tell of. */
export function notLookedAt(problem = "It could not be looked at."): NotDone {
  return { outcome: "failed", problem, todo: "Whether it is meant is not known: look at it (s3ec audit)." };
}

/** Why an object was not done, and what to do. */
export function notDone(error: unknown): NotDone {
  if (error instanceof S3EncryptionError) {
    const { code, message: problem } = error;
    const outcome = code === "outcome-unknown" ? "unknown" : REFUSALS.has(code) ? "refused" : "failed";
    const todo = error instanceof UnopenedWrapError ? UNOPENED : TODO[code];
    return { outcome, code, problem, ...(todo === undefined ? {} : { todo }) };
  }
  const status = httpStatusOf(error);
  const code = isError(error) ? error.name : "Error";
  const said = isError(error) && error.message !== "" && error.message !== code ? `: ${error.message}` : "";
  if (status !== undefined) {
    return {
      outcome: "failed",
      code,
      problem: `S3 answered ${code} (HTTP ${status})${said}`,
      todo: todoOf(status, code),
    };
  }
  // What was sent may have been done.
  const isNetwork = isError(error) && ("$metadata" in error || "syscall" in error || code === "TimeoutError");
  return {
    outcome: "unknown",
    code,
    problem: `${isNetwork ? "S3 did not answer" : "It ended"} (${code})${said}`,
    todo: AGAIN,
  };
}

function todoOf(status: number, code: string): string {
  if (code === "InvalidObjectState") return "It is archived: restore it first.";
  if (status === 403) {
    return "Allow reading and writing it: s3:GetObject, s3:PutObject and what docs/rotate-keys.md names; and the KMS key of S3's own encryption.";
  }
  if (status === 404) return `What it was sent to had gone, such as an upload that a lifecycle rule aborts. ${AGAIN}`;
  if (status === 409 || status === 412) return `Others write to it. ${AGAIN}`;
  const isBusy = status === 429 || status === 503 || code === "SlowDown" || code === "RequestLimitExceeded";
  return isBusy ? "S3 is asked too much: run it again with a lower rate or concurrency." : AGAIN;
}
