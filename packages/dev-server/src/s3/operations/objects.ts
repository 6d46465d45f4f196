import type { ServerResponse } from "node:http";
import type { Headers } from "../../http/request-target.js";
import { checksumHeader, type StoredChecksum } from "../body/checksums.js";
import { type ByteRange, parseRange } from "../body/range.js";
import { type ReceivedBody, receiveBody, receiveText } from "../body/receive-body.js";
import { sendSegments } from "../body/send-object.js";
import { S3Error } from "../s3-error.js";
import { beginAnswer, type S3Exchange, type S3Handler, sendEmpty, sendXml } from "../s3-exchange.js";
import type { Bucket } from "../store/bucket.js";
import type { ObjectRecord } from "../store/object-record.js";
import { childText, element, leaf, malformed, parseXml, xmlDocument } from "../xml.js";
import { requireDeleteCondition, requireReadConditions, requireWriteConditions } from "./conditions.js";
import { describingHeaders, serverSideEncryptionOf, systemHeaders, userMetadata } from "./object-headers.js";

export const putObject: S3Handler = async ({ store }, exchange) => {
  const { bucket: name, key, headers } = exchange;
  const bucket = store.bucket(name);
  requireKeyLength(key);
  const described = { headers: systemHeaders(headers), metadata: userMetadata(headers) };
  const { file, body } = await receiveFile(bucket, exchange);
  const record = { ...described, ...wholeObject(key, file, body) };
  await putRecord(exchange, bucket, record, (existing) => requireWriteConditions(headers, existing));
  await sendEmpty(exchange, 200, {
    etag: `"${record.etag}"`,
    ...serverSideEncryptionOf(record.headers),
    ...checksumHeaders(record.checksum),
  });
};

export const getObject: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const record = bucket.get(exchange.key);
  await bucket.whileReading(record, async () => {
    const { start, length } = await beginObject(exchange, record);
    await sendSegments(exchange, bucket.segments(record, start, length));
  });
};

export const headObject: S3Handler = async ({ store }, exchange) => {
  await beginObject(exchange, store.bucket(exchange.bucket).get(exchange.key));
  exchange.response.end();
};

export const deleteObject: S3Handler = async ({ store }, exchange) => {
  const { bucket, key, headers } = exchange;
  await store.bucket(bucket).delete(key, (existing) => requireDeleteCondition(headers["if-match"], existing));
  await sendEmpty(exchange, 204);
};

export const deleteObjects: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const request = parseXml(await receiveText(exchange, 8 << 20, true), "Delete");
  const objects = request.children.filter(({ name }) => name === "Object");
  if (objects.length === 0 || objects.length > 1000) throw malformed();
  const isQuiet = childText(request, "Quiet") === "true";
  const results: string[] = [];
  for (const object of objects) {
    const key = childText(object, "Key");
    if (key === undefined) throw malformed();
    try {
      await bucket.delete(key, (existing) => requireDeleteCondition(childText(object, "ETag"), existing));
      if (!isQuiet) results.push(element("Deleted", leaf("Key", key)));
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      results.push(element("Error", leaf("Key", key), leaf("Code", error.code), leaf("Message", error.message)));
    }
  }
  await sendXml(exchange, xmlDocument("DeleteResult", ...results));
};

/** Receives the body into a data file, which is gone again when anything about it is wrong. */
export async function receiveFile(
  bucket: Bucket,
  exchange: S3Exchange,
  wanted?: Parameters<typeof receiveBody>[2],
): Promise<{ file: string; body: ReceivedBody }> {
  const { file, writer } = await bucket.createDataFile();
  try {
    const body = await receiveBody(exchange, writer, wanted);
    await writer.finish();
    return { file, body };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** Puts the record, or deletes the files that it brought. */
export async function putRecord(
  { faults, target }: S3Exchange,
  bucket: Bucket,
  record: ObjectRecord,
  condition: (existing: ObjectRecord | undefined) => void,
): Promise<void> {
  try {
    await faults.hold(target, "commit");
    await bucket.put(record, condition);
  } catch (error) {
    await bucket.deleteDataFiles(record.parts);
    throw error;
  }
}

/** The record of an object whose bytes came in one piece, except for what its headers say. */
export function wholeObject(
  key: string,
  file: string,
  { length, tag, checksum }: ReceivedBody,
): Omit<ObjectRecord, "headers" | "metadata"> {
  const stored = checksum && {
    name: checksum.algorithm.name,
    value: checksum.digest.toString("base64"),
    type: "FULL_OBJECT" as const,
  };
  return {
    key,
    etag: tag.toString("hex"),
    size: length,
    modified: wholeSecond(),
    parts: [{ file, size: length, ...(stored && { checksum: stored.value }) }],
    isMultipart: false,
    ...(stored && { checksum: stored }),
  };
}

export function wholeSecond(): number {
  return Math.floor(Date.now() / 1000) * 1000;
}

export function requireKeyLength(key: string): void {
  if (Buffer.byteLength(key) > 1024) throw new S3Error("KeyTooLongError", "Your key is too long");
}

export function checksumHeaders(checksum: StoredChecksum | undefined): Headers {
  if (checksum === undefined) return {};
  return { [checksumHeader(checksum.name)]: checksum.value, "x-amz-checksum-type": checksum.type };
}

async function beginObject(exchange: S3Exchange, record: ObjectRecord): Promise<ByteRange> {
  const { headers, query, response } = exchange;
  const described = describingHeaders(record);
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
