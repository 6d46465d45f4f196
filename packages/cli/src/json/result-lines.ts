import type { AuditedObject, ObjectVerification, RewriteTotals, RewrittenObject } from "@s3ec/bulk";
import { named } from "./named-object.js";

/** What `audit` says of an object. */
export function auditedLine(
  bucket: string,
  { Key, VersionId, contentLength, storedLength, ...rest }: AuditedObject,
): object {
  return {
    ...named(bucket, { Key, VersionId }),
    ...rest,
    ...(contentLength === undefined ? {} : { bytes: contentLength }),
    ...(storedLength === undefined ? {} : { storedBytes: storedLength }),
  };
}

/** What `verify` does. */
export function verifiedLine(bucket: string, { Key, VersionId, length, ...rest }: ObjectVerification): object {
  return {
    ...named(bucket, { Key, VersionId }),
    ...rest,
    ...(length === undefined ? {} : { bytes: length }),
  };
}

/** What `rewrap`, `migrate` and `recipients` do. */
export function rewrittenLine(bucket: string, { Key, VersionId, outcome, ...rest }: RewrittenObject): object {
  return { ...named(bucket, { Key, VersionId }), state: outcome, ...rest };
}

/** What those come to. */
export function rewriteTotals({ byOutcome, byCode, keptVersions }: RewriteTotals): object {
  return {
    totals: { byState: Object.fromEntries(byOutcome), byCode: Object.fromEntries(byCode), keptVersions },
  };
}
