import type { Headers } from "../../http/request-target.js";
import { S3Error } from "../s3-error.js";
import type { ObjectRecord } from "../store/object-record.js";

/** RFC 9110's order: each If-...-Since counts only when its entity-tag counterpart is absent. */
export function requireReadConditions(headers: Headers, record: ObjectRecord): void {
  const ifMatch = headers["if-match"];
  const unmodifiedSince = time(headers["if-unmodified-since"]);
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, record)) throw failed("If-Match");
  } else if (unmodifiedSince !== undefined && record.modified > unmodifiedSince) throw failed("If-Unmodified-Since");
  const ifNoneMatch = headers["if-none-match"];
  const modifiedSince = time(headers["if-modified-since"]);
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, record)) throw new S3Error("NotModified", "Not Modified");
  } else if (modifiedSince !== undefined && record.modified <= modifiedSince)
    throw new S3Error("NotModified", "Not Modified");
}

/** The conditions on the source of a copy; every one that fails is a failed precondition. */
export function requireCopySourceConditions(headers: Headers, record: ObjectRecord): void {
  const prefix = "x-amz-copy-source-";
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith(`${prefix}if-`)) own[name.slice(prefix.length)] = value;
  try {
    requireReadConditions(own, record);
  } catch (error) {
    if (error instanceof S3Error && error.code === "NotModified") throw failed(`${prefix}If-None-Match`);
    throw error;
  }
}

/** @throws S3Error when the object that is there, or its absence, is not what the write is meant for */
export function requireWriteConditions(headers: Headers, existing: ObjectRecord | undefined): void {
  const ifMatch = headers["if-match"];
  const ifNoneMatch = headers["if-none-match"];
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*")
    throw new S3Error(
      "NotImplemented",
      "A header you provided implies functionality that is not implemented: If-None-Match other than *",
    );
  if (ifNoneMatch !== undefined && existing !== undefined) throw failed("If-None-Match");
  if (ifMatch !== undefined) {
    if (existing === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.");
    if (!matches(ifMatch, existing)) throw failed("If-Match");
  }
}

/** @throws S3Error `PreconditionFailed` */
export function requireDeleteCondition(ifMatch: string | undefined, existing: ObjectRecord | undefined): void {
  if (ifMatch !== undefined && (existing === undefined || !matches(ifMatch, existing))) throw failed("If-Match");
}

/** The condition of a write beside an object, which is on the object's entity tag. */
export function requireObjectMatch(headers: Headers, record: ObjectRecord): void {
  const name = "x-amz-object-if-match";
  const ifMatch = headers[name];
  if (ifMatch !== undefined && !matches(ifMatch, record)) throw failed(name);
}

function matches(list: string, { etag }: ObjectRecord): boolean {
  return list.split(",").some((item) => {
    const tag = item.trim();
    return tag === "*" || tag.replace(/^"(.*)"$/, "$1") === etag;
  });
}

/** A date that cannot be read is no condition. */
function time(date: string | undefined): number | undefined {
  const value = Date.parse(date ?? "");
  return Number.isNaN(value) ? undefined : value;
}

function failed(condition: string): S3Error {
  return new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
    Condition: condition,
  });
}
