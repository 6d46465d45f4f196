import { percentEncode } from "../../http/request-target.js";
import { S3Error } from "../s3-error.js";
import { type S3Handler, sendXml } from "../s3-exchange.js";
import type { Bucket } from "../store/bucket.js";
import { element, leaf, xmlDocument } from "../xml.js";

interface Page {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  /** The last key or common prefix of this page, when there is more after it. */
  readonly last: string | undefined;
}

const largestPage = 1000;

export const listObjectsV2: S3Handler = async ({ store }, exchange) => {
  const { bucket: name, query } = exchange;
  const bucket = store.bucket(name);
  const maxKeys = query.get("max-keys") ?? String(largestPage);
  if (!/^\d{1,9}$/.test(maxKeys)) throw new S3Error("InvalidArgument", "Argument max-keys must be a whole number");
  const encodingType = query.get("encoding-type");
  if (encodingType !== undefined && encodingType !== "url")
    throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request");
  const encode = encodingType === "url" ? percentEncode : (text: string) => text;
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after");
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") || undefined;
  const page = pageOf(bucket, {
    prefix,
    delimiter,
    after: token === undefined ? (startAfter ?? "") : decodeToken(token),
    most: Math.min(largestPage, Number(maxKeys)),
  });
  await sendXml(
    exchange,
    xmlDocument(
      "ListBucketResult",
      leaf("Name", name),
      leaf("Prefix", encode(prefix)),
      leaf("Delimiter", delimiter && encode(delimiter)),
      leaf("EncodingType", encodingType),
      leaf("MaxKeys", maxKeys),
      leaf("KeyCount", page.keys.length + page.prefixes.length),
      leaf("IsTruncated", page.last !== undefined),
      leaf("StartAfter", startAfter && encode(startAfter)),
      leaf("ContinuationToken", token),
      leaf("NextContinuationToken", page.last && Buffer.from(page.last).toString("base64url")),
      ...page.keys.map((key) => contents(bucket, key, encode)),
      ...page.prefixes.map((common) => element("CommonPrefixes", leaf("Prefix", encode(common)))),
    ),
  );
};

function pageOf(
  bucket: Bucket,
  { prefix, delimiter, after, most }: { prefix: string; delimiter: string | undefined; after: string; most: number },
): Page {
  const keys: string[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  for (const key of bucket.sortedKeys) {
    if (!key.startsWith(prefix) || !isAfter(key, after)) continue;
    const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
    const common = delimiter === undefined || end < 0 ? undefined : key.slice(0, end + delimiter.length);
    // Everything under a common prefix is listed by it, and was, when the page before ended with it.
    if (common !== undefined && (common === last || common === after)) continue;
    if (keys.length + prefixes.length >= most) return { keys, prefixes, last };
    if (common === undefined) keys.push(key);
    else prefixes.push(common);
    last = common ?? key;
  }
  return { keys, prefixes, last: undefined };
}

function isAfter(key: string, after: string): boolean {
  return after === "" || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;
}

function contents(bucket: Bucket, key: string, encode: (text: string) => string): string {
  const record = bucket.get(key);
  return element(
    "Contents",
    leaf("Key", encode(key)),
    leaf("LastModified", new Date(record.modified).toISOString()),
    leaf("ETag", `"${record.etag}"`),
    leaf("ChecksumAlgorithm", record.checksum?.name),
    leaf("ChecksumType", record.checksum?.type),
    leaf("Size", record.size),
    leaf("StorageClass", record.headers["x-amz-storage-class"] ?? "STANDARD"),
  );
}

function decodeToken(token: string): string {
  const last = Buffer.from(token, "base64url");
  if (last.length === 0 || last.toString("base64url") !== token)
    throw new S3Error("InvalidArgument", "The continuation token provided is incorrect");
  return last.toString();
}
