import { httpStatusOf } from "@s3ec/client";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { isServerError, isThrottlingError, isTransientError } from "@smithy/core/retry";
import { type Outcome, permanent, temporary } from "./response.js";

/** A chain of causes that is longer than this says nothing more. */
const MAX_CAUSES = 8;

/** What S3 answers while another change of the same object is under way. */
const CONFLICTS: ReadonlySet<string> = new Set(["ConditionalRequestConflict", "OperationAborted"]);

/** KMS's own names of what passes. */
const PASSING: ReadonlySet<string> = new Set([
  "DependencyTimeoutException",
  "KeyUnavailableException",
  "KMSInternalException",
]);

/** Why an object was not done, and whether asking again may help. */
export function failureOf(error: unknown, wasChangedBefore: boolean): Outcome {
  if (isChangedMeanwhile(error)) {
    const text = `content-mismatch: Others wrote the object meanwhile; theirs stands. ${messageOf(error)}`;
    // Once: whoever writes it again and again is to be told.
    return wasChangedBefore
      ? permanent(`${text} It happened twice: give it to a new job when they have stopped.`)
      : temporary(text);
  }
  if (isTemporary(error)) return temporary(`${nameOf(error)}: ${messageOf(error)} S3 asks again, later in this job.`);
  return permanent(`${nameOf(error)}: ${messageOf(error)}`);
}

/** Whether the object was another by the time it was to be changed: the newer one stands. */
export function isChangedMeanwhile(error: unknown): boolean {
  return causesOf(error).some(
    (each) =>
      (each instanceof S3EncryptionError && each.code === "content-mismatch") ||
      each.name === "PreconditionFailed" ||
      httpStatusOf(each) === 412,
  );
}

/** Throttled, out of service, out of time, not answered, or in the way of another change. */
export function isTemporary(error: unknown): boolean {
  return causesOf(error).some((each) => {
    if (each instanceof S3EncryptionError) return each.code === "outcome-unknown";
    if (PASSING.has(each.name) || CONFLICTS.has(each.name) || each.name === "AbortError") return true;
    const known = each as Parameters<typeof isTransientError>[0];
    return isThrottlingError(known) || isServerError(known) || isTransientError(known);
  });
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause = error; isError(cause) && causes.length < MAX_CAUSES; cause = cause.cause) causes.push(cause);
  return causes;
}

function nameOf(error: unknown): string {
  if (error instanceof S3EncryptionError) return error.code;
  return isError(error) ? error.name : "error";
}

function messageOf(error: unknown): string {
  if (!isError(error)) return "It failed.";
  if (error.name === "AbortError") return "The invocation's time ended before it was done; what stands can be read.";
  if (error.name === "InvalidObjectState") return "It is archived: restore it, then give it to a new job.";
  if (error instanceof S3EncryptionError || httpStatusOf(error) === undefined) return sentence(error.message);
  if (httpStatusOf(error) === 403 || /^AccessDenied/.test(error.name)) {
    return `The function's role may not do this: compare it with template.yaml. ${sentence(error.message)}`;
  }
  return sentence(error.message);
}

function sentence(message: string): string {
  const text = message.trim();
  if (text === "") return "It gave no reason.";
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
