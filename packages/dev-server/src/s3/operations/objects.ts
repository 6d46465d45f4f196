import type { StoredChecksum } from "../body/checksums.js";
import { type ReceivedBody, receiveBody } from "../body/receive-body.js";
import { S3Error } from "../s3-error.js";
import { type S3Exchange, type S3Handler, sendEmpty } from "../s3-exchange.js";
import type { Bucket } from "../store/bucket.js";
import { filesOf, type NewObject, type ObjectRecord } from "../store/object-record.js";
import { attributesOfHeaders } from "./attributes.js";
import { requireWriteConditions } from "./conditions.js";
import {
  checksumHeaders,
  serverSideEncryptionOf,
  systemHeaders,
  userMetadata,
  versionHeaders,
} from "./object-headers.js";

export const putObject: S3Handler = async ({ store }, exchange) => {
  const { bucket: name, key, headers } = exchange;
  const bucket = store.bucket(name);
  requireKeyLength(key);
  const described = {
    headers: systemHeaders(headers),
    metadata: userMetadata(headers),
    ...attributesOfHeaders(headers, bucket),
  };
  const { file, body } = await receiveFile(bucket, exchange);
  const wanted = { ...described, ...wholeObject(key, file, body) };
  const record = await putRecord(exchange, bucket, wanted, (existing) => requireWriteConditions(headers, existing));
  await sendEmpty(exchange, 200, {
    etag: `"${record.etag}"`,
    ...versionHeaders(bucket, record),
    ...serverSideEncryptionOf(record.headers),
    ...checksumHeaders(record.checksum),
  });
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
  record: NewObject,
  condition: (existing: ObjectRecord | undefined) => void,
): Promise<ObjectRecord> {
  try {
    await faults.hold(target, "commit");
    return await bucket.put(record, condition);
  } catch (error) {
    await bucket.deleteDataFiles(filesOf(record));
    throw error;
  }
}

/** The record of an object whose bytes came in one piece, except for what its headers say. */
export function wholeObject(key: string, file: string, body: ReceivedBody): Omit<NewObject, "headers" | "metadata"> {
  const checksum = storedChecksum(body);
  return {
    key,
    etag: body.tag.toString("hex"),
    size: body.length,
    modified: wholeSecond(),
    parts: [{ file, size: body.length, ...(checksum && { checksum: checksum.value }) }],
    isMultipart: false,
    ...(checksum && { checksum }),
  };
}

/** The checksum of a body that came in one piece. */
export function storedChecksum({ checksum }: ReceivedBody): StoredChecksum | undefined {
  return checksum && { name: checksum.algorithm.name, value: checksum.digest.toString("base64"), type: "FULL_OBJECT" };
}

/** A time, by default now, as precisely as Last-Modified is. */
export function wholeSecond(time: Date = new Date()): number {
  return Math.floor(time.getTime() / 1000) * 1000;
}

/** @throws S3Error `KeyTooLongError` above 1,024 bytes */
export function requireKeyLength(key: string): void {
  if (Buffer.byteLength(key) > 1024) throw new S3Error("KeyTooLongError", "Your key is too long");
}
