/** What a fault looks at to decide whether a request is one of those it was made for. */
export interface FaultTarget {
  /** Which of the two services it is for. */
  readonly service: "s3" | "kms";
  /** The API's name of the request, for example `PutObject`; `Unknown` for an S3 request that is not implemented. */
  readonly operation: string;
  /** Of an S3 request that names one. */
  readonly bucket?: string;
  /** Of an S3 request that names one, decoded. */
  readonly key?: string;
  /** Of UploadPart, and of a read of one part. */
  readonly partNumber?: number;
}

/** The requests meant: those that match everything that is given. */
export interface FaultMatch {
  /** Default: both. */
  readonly service?: "s3" | "kms";
  /** For example `PutObject`, `UploadPart`, `Decrypt`. */
  readonly operation?: string;
  /** Default: any, and requests without one. */
  readonly bucket?: string;
  /** The whole key, or an expression that is found in it. */
  readonly key?: string | RegExp;
  /** The part of an upload, or of a read of one part. Default: any. */
  readonly partNumber?: number;
}

/** Whether the request is one of those meant. */
export function strikes(match: FaultMatch, target: FaultTarget): boolean {
  const { key } = match;
  return (
    (match.service ?? target.service) === target.service &&
    (match.operation ?? target.operation) === target.operation &&
    (match.bucket === undefined || match.bucket === target.bucket) &&
    (match.partNumber === undefined || match.partNumber === target.partNumber) &&
    // search() and not test(): it leaves the lastIndex of a global expression alone.
    (key === undefined || (typeof key === "string" ? key === target.key : (target.key ?? "").search(key) >= 0))
  );
}
