import { type GetObjectCommandOutput, S3ServiceException } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";

/** The part of an object that S3 answered with. First and last byte are inclusive. */
export interface ServedRange {
  readonly first: number;
  readonly last: number;
  /** Bytes of the whole object. */
  readonly total: number;
}

export function servedRange({ ContentRange = "" }: GetObjectCommandOutput): ServedRange {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange) ?? [];
  if (total === undefined) {
    throw new S3EncryptionError("content-mismatch", "S3 did not say which range it answered with.");
  }
  return { first: Number(first), last: Number(last), total: Number(total) };
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
