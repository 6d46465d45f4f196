import type { ServerResponse } from "node:http";
import type { Headers } from "../../http/request-target.js";
import type { StoredChecksum } from "../body/checksums.js";
import { type ByteRange, parseRange } from "../body/range.js";
import { sendSegments } from "../body/send-object.js";
import { S3Error } from "../s3-error.js";
import { beginAnswer, type S3Exchange, type S3Handler } from "../s3-exchange.js";
import type { Bucket } from "../store/bucket.js";
import type { ObjectRecord } from "../store/object-record.js";
import { requireReadConditions } from "./conditions.js";
import { requireCustomerKey } from "./customer-key.js";
import { checksumHeaders, describingHeaders, versionHeaders } from "./object-headers.js";

export const getObject: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const record = bucket.get(exchange.key, exchange.query.get("versionId"));
  requireRestored(record);
  await bucket.whileReading(record, async () => {
    const { start, length } = await beginObject(exchange, bucket, record);
    await sendSegments(exchange, bucket.segments(record, start, length));
  });
};

/** What is archived can be described, and not read. */
export function requireRestored({ headers }: ObjectRecord): void {
  const storageClass = headers["x-amz-storage-class"];
  if (storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE")
    throw new S3Error("InvalidObjectState", "The operation is not valid for the object's storage class", {
      StorageClass: storageClass,
    });
}

export const headObject: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  await beginObject(exchange, bucket, bucket.get(exchange.key, exchange.query.get("versionId")));
  exchange.response.end();
};

async function beginObject(exchange: S3Exchange, bucket: Bucket, record: ObjectRecord): Promise<ByteRange> {
  const { headers, query, response } = exchange;
  requireCustomerKey(headers, record.headers);
  const described = describingHeaders(record);
  setHeaders(response, versionHeaders(bucket, record));
  // A 304 or a 412 tells the entity tag too.
  response.setHeader("etag", `"${record.etag}"`);
  requireReadConditions(headers, record);
  const part = partOf(exchange, record);
  const range = part?.range ?? parseRange(headers.range, record.size);
  const { start, length } = range ?? { start: 0, length: record.size };
  setHeaders(response, described);
  for (const [name, value] of query)
    if (name.startsWith("response-")) response.setHeader(name.slice("response-".length), value);
  if (headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED") {
    // A checksum is of the whole object or of a part: with any other range it would not match what is sent.
    if (part !== undefined) setHeaders(response, checksumHeaders(part.checksum));
    else if (range === undefined) setHeaders(response, checksumHeaders(record.checksum));
  }
  if (record.isMultipart && part !== undefined) response.setHeader("x-amz-mp-parts-count", record.parts.length);
  if (range !== undefined && record.size > 0)
    response.setHeader("content-range", `bytes ${start}-${start + length - 1}/${record.size}`);
  await beginAnswer(exchange, range === undefined ? 200 : 206, { "content-length": length });
  return { start, length };
}

function partOf(
  { query, headers }: S3Exchange,
  { parts, checksum }: ObjectRecord,
): { range: ByteRange; checksum: StoredChecksum | undefined } | undefined {
  const number = query.get("partNumber");
  if (number === undefined) return undefined;
  if (headers.range !== undefined)
    throw new S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter");
  const part = parts[Number(number) - 1];
  if (part === undefined) throw new S3Error("InvalidPartNumber", "The requested partnumber is not satisfiable");
  const start = parts.slice(0, Number(number) - 1).reduce((sum, { size }) => sum + size, 0);
  return {
    range: { start, length: part.size },
    checksum: checksum && part.checksum ? { ...checksum, value: part.checksum } : undefined,
  };
}

function setHeaders(response: ServerResponse, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}
