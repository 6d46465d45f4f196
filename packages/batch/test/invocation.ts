import type { BatchHandler, BatchResponse, TaskResult } from "@s3ec/batch";

let count = 0;

/** A key as S3 escapes it in an event. */
function escaped(key: string): string {
  return encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
}

/** An event of schema 2.0 for these keys, as S3 sends it. */
export function eventOf(
  Bucket: string,
  keys: readonly (string | { readonly Key: string; readonly VersionId: string })[],
  userArguments: Readonly<Record<string, string>> = {},
): object {
  count += 1;
  return {
    invocationSchemaVersion: "2.0",
    invocationId: `invocation-${count}`,
    job: { id: "f3cc4f60-61f6-4a2b-8a21-d07600c373ce", userArguments },
    tasks: keys.map((each) => {
      const { Key, VersionId = null } = typeof each === "string" ? { Key: each } : each;
      return { taskId: Key, s3Bucket: Bucket, s3Key: escaped(Key), s3VersionId: VersionId };
    }),
  };
}

/** What becomes of these keys, by key. */
export async function resultsOf(
  handler: BatchHandler,
  Bucket: string,
  keys: readonly string[],
  userArguments: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, TaskResult>> {
  const answer: BatchResponse = await handler(eventOf(Bucket, keys, userArguments));
  return new Map(answer.results.map((each) => [each.taskId, each]));
}
