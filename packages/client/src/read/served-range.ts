import { type GetObjectCommandOutput, S3ServiceException } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";

/** The part of an object that S3 answered with. First and last byte are inclusive. */
export interface ServedRange {
  readonly first: number;
  readonly last: number;
  /** Bytes of the whole object. */
  readonly total: number;
}

/** The range that S3 says it answered with. Throws `content-mismatch` where it says none, or calls it the whole object. */
export function servedRange({ ContentRange = "", $metadata }: GetObjectCommandOutput): ServedRange {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange) ?? [];
  if (total === undefined || isStatus($metadata, 200)) {
    throw new S3EncryptionError("content-mismatch", "S3 did not say which range it answered with.");
  }
  return { first: Number(first), last: Number(last), total: Number(total) };
}

/** Refuses a part of an object where all of it was asked for. */
export function assertWhole({ ContentRange, $metadata }: GetObjectCommandOutput): void {
  if (ContentRange === undefined && !isStatus($metadata, 206)) return;
  throw new S3EncryptionError("content-mismatch", "S3 answered with a part of the object although all was asked for.");
}

/** Not of a request handler that tells no status. */
function isStatus($metadata: GetObjectCommandOutput["$metadata"] | undefined, status: number): boolean {
  return $metadata?.httpStatusCode === status;
}

export function notWhatWasAsked(): S3EncryptionError {
  return new S3EncryptionError("content-mismatch", "S3 answered with another range than the one that was asked for.");
}

/** S3's own answer to a range that starts past the end, here of the plaintext. */
export function rangeNotSatisfiable($metadata: GetObjectCommandOutput["$metadata"]): S3ServiceException {
  return new S3ServiceException({
    name: "InvalidRange",
    $fault: "client",
    message: "The requested range is not satisfiable",
    $metadata: { ...$metadata, httpStatusCode: 416 },
  });
}
