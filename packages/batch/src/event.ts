import { decodedKey } from "@s3ec/bulk";
import { S3EncryptionError } from "@s3ec/materials";

/** The object that a task is about. */
export interface Target {
  readonly Bucket: string;
  /** As S3 has it. */
  readonly Key: string;
  /** Where the manifest names one. */
  readonly VersionId?: string;
}

/** One task of an invocation. */
export interface Task {
  readonly taskId: string;
  /** Or why no object can be told. */
  readonly target: Target | Error;
}

/** What S3 Batch Operations calls the function with, of either schema. */
export interface Invocation {
  readonly schemaVersion: "1.0" | "2.0";
  readonly invocationId: string;
  readonly jobId: string;
  /** Of schema 2.0; empty in 1.0. */
  readonly userArguments: Readonly<Record<string, string>>;
  readonly tasks: readonly Task[];
}

/** Throws `invalid-argument` for what is no such event: there are then no tasks to answer for. */
export function invocationOf(event: unknown): Invocation {
  const { invocationSchemaVersion, invocationId, job, tasks } = fieldsOf(event);
  if (invocationSchemaVersion !== "1.0" && invocationSchemaVersion !== "2.0") {
    throw noEvent(`its invocationSchemaVersion is ${JSON.stringify(invocationSchemaVersion)}, and not "1.0" or "2.0"`);
  }
  if (typeof invocationId !== "string") throw noEvent("it has no invocationId");
  if (!Array.isArray(tasks)) throw noEvent("it has no list of tasks");
  const { id, userArguments } = fieldsOf(job);
  return {
    schemaVersion: invocationSchemaVersion,
    invocationId,
    jobId: typeof id === "string" ? id : "",
    userArguments: textsOf(userArguments),
    tasks: tasks.map((task) => taskOf(task)),
  };
}

function taskOf(task: unknown): Task {
  const { taskId, s3Key, s3VersionId, s3Bucket, s3BucketArn } = fieldsOf(task);
  if (typeof taskId !== "string") throw noEvent("a task has no taskId");
  try {
    // The schemas differ in this: 1.0 has the bucket's ARN, 2.0 its name.
    const Bucket = typeof s3Bucket === "string" ? s3Bucket : bucketOf(s3BucketArn);
    if (typeof s3Key !== "string" || s3Key === "") throw noEvent("a task has no s3Key");
    const version = typeof s3VersionId === "string" && s3VersionId !== "" ? { VersionId: s3VersionId } : {};
    return { taskId, target: { Bucket, Key: decodedKey(s3Key), ...version } };
  } catch (error) {
    if (error instanceof S3EncryptionError) return { taskId, target: error };
    throw error;
  }
}

/** An access point is called by its ARN, a bucket by its name. */
function bucketOf(arn: unknown): string {
  if (typeof arn !== "string" || arn === "") throw noEvent("a task names no bucket");
  if (!arn.startsWith("arn:") || arn.includes(":accesspoint/")) return arn;
  const name = arn.slice(arn.lastIndexOf(":") + 1);
  if (name === "") throw noEvent("a task's s3BucketArn names no bucket");
  return name;
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(fieldsOf(value ?? {}));
  const stray = entries.find(([, text]) => typeof text !== "string");
  if (stray !== undefined) throw noEvent(`its user argument ${stray[0]} is no text`);
  return Object.fromEntries(entries) as Record<string, string>;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  throw noEvent("it is no object with the fields of one");
}

function noEvent(why: string): S3EncryptionError {
  return new S3EncryptionError(
    "invalid-argument",
    `This is no invocation by S3 Batch Operations: ${why}. Call the function by a job (aws s3control create-job).`,
  );
}
