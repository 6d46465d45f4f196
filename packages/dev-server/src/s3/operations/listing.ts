import { percentEncode } from "../../http/request-target.js";
import { S3Error } from "../s3-error.js";
import type { ObjectRecord } from "../store/object-record.js";
import { leaf } from "../xml.js";

const largestPage = 1000;

/** What the parameters of every listing say. */
export interface Listing {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  readonly maxKeys: number;
  readonly encodingType: string | undefined;
  /** How keys are written in the answer. */
  encode(text: string): string;
}

/** One page of a listing. */
export interface Page<Entry> {
  readonly entries: readonly Entry[];
  /** The common prefixes that stand for the keys under them. */
  readonly prefixes: readonly string[];
  /** The last key or common prefix. */
  readonly last: string | undefined;
  readonly isTruncated: boolean;
}

/** @throws S3Error for parameters that are wrong */
export function listingOf(query: ReadonlyMap<string, string>, maximum = "max-keys"): Listing {
  const most = query.get(maximum) ?? String(largestPage);
  if (!/^\d{1,9}$/.test(most)) throw new S3Error("InvalidArgument", `Argument ${maximum} must be a whole number`);
  const encodingType = query.get("encoding-type");
  if (encodingType !== undefined && encodingType !== "url")
    throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request");
  return {
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") || undefined,
    maxKeys: Math.min(largestPage, Number(most)),
    encodingType,
    encode: encodingType === "url" ? percentEncode : (text) => text,
  };
}

/** Takes entries, which are sorted and come after `after`, until the page is full. */
export function pageOf<Entry extends { readonly key: string }>(
  sorted: Iterable<Entry>,
  { prefix, delimiter, after, most }: { prefix: string; delimiter: string | undefined; after: string; most: number },
): Page<Entry> {
  const entries: Entry[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  for (const entry of sorted) {
    const { key } = entry;
    if (!key.startsWith(prefix)) continue;
    const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
    const common = delimiter === undefined || end < 0 ? undefined : key.slice(0, end + delimiter.length);
    // Everything under a common prefix is listed by it, and was, when the page before ended with it.
    if (common !== undefined && (common === last || common === after)) continue;
    if (entries.length + prefixes.length >= most) return { entries, prefixes, last, isTruncated: most > 0 };
    if (common === undefined) entries.push(entry);
    else prefixes.push(common);
    last = common ?? key;
  }
  return { entries, prefixes, last, isTruncated: false };
}

/** In the byte order of UTF-8; everything is after an empty text. */
export function isAfter(key: string, after: string): boolean {
  return after === "" || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;
}

/** What every listing says about an object. */
export function listedObject(record: ObjectRecord): string[] {
  return [
    leaf("LastModified", new Date(record.modified).toISOString()),
    leaf("ETag", `"${record.etag}"`),
    leaf("ChecksumAlgorithm", record.checksum?.name),
    leaf("ChecksumType", record.checksum?.type),
    leaf("Size", record.size),
    leaf("StorageClass", record.headers["x-amz-storage-class"] ?? "STANDARD"),
  ];
}
