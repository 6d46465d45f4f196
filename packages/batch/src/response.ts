import { printable } from "@s3ec/envelope";

/** What S3 Batch Operations makes of a task: done; asked again, later in the same job; failed for good. */
export type ResultCode = "Succeeded" | "TemporaryFailure" | "PermanentFailure";

/** What became of one task. */
export interface TaskResult {
  /** As the event has it. */
  readonly taskId: string;
  /** What S3 makes of it. */
  readonly resultCode: ResultCode;
  /** What the completion report says of it: at most 1,024 characters. */
  readonly resultString: string;
}

/** What the function answers to one invocation. */
export interface BatchResponse {
  /** As the event has it. */
  readonly invocationSchemaVersion: "1.0" | "2.0";
  /** Of a task without a result; there is none. */
  readonly treatMissingKeysAs: "PermanentFailure";
  /** As the event has it. */
  readonly invocationId: string;
  /** In the order of the event's tasks. */
  readonly results: readonly TaskResult[];
}

/** Without the task's id. */
export type Outcome = Omit<TaskResult, "taskId">;

/** What a report holds of a result. */
export const MAX_RESULT_LENGTH = 1024;

/** A task that is done. */
export function succeeded(text: string): Outcome {
  return { resultCode: "Succeeded", resultString: reported(text) };
}

/** One that S3 is to send again, later in the job. */
export function temporary(text: string): Outcome {
  return { resultCode: "TemporaryFailure", resultString: reported(text) };
}

/** One that somebody has to do something about. */
export function permanent(text: string): Outcome {
  return { resultCode: "PermanentFailure", resultString: reported(text) };
}

/** On one line of a CSV file, and not cut inside a character. */
function reported(text: string): string {
  const shown = printable(text);
  if (shown.length <= MAX_RESULT_LENGTH) return shown;
  const start = shown.slice(0, MAX_RESULT_LENGTH - 3);
  return `${/[\uD800-\uDBFF]$/.test(start) ? start.slice(0, -1) : start}...`;
}
