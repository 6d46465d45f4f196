import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";

/** Whether an object was written anew between two looks at it, its metadata alone also. */
export function isAnother(before: HeadObjectCommandOutput, now: HeadObjectCommandOutput): boolean {
  const time = (head: HeadObjectCommandOutput): number | undefined => head.LastModified?.getTime();
  const isSame = before.ETag === now.ETag && before.VersionId === now.VersionId && time(before) === time(now);
  return !isSame || !isSaidAlike(before.Metadata, now.Metadata);
}

/** Whether two things say the same of an object: stores answer headers, tags and grants in any order. */
export function isSaidAlike(one: object = {}, other: object = {}): boolean {
  const entries = (of: object): string =>
    JSON.stringify(
      Object.entries(of)
        .map(([name, value]) => [name, unordered(value)])
        .sort(),
    );
  return entries(one) === entries(other);
}

function unordered(value: unknown): unknown {
  return typeof value === "string" ? value.split(/&|, /).sort() : value;
}

export function changedMeanwhile(cause?: unknown): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    "Others wrote the object at the same time: what stands now is theirs, and was left as it is. Look at it, and try again.",
    cause === undefined ? undefined : { cause },
  );
}
