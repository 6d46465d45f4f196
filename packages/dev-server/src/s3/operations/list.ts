import { S3Error } from "../s3-error.js";
import { type S3Handler, sendXml } from "../s3-exchange.js";
import type { Bucket } from "../store/bucket.js";
import type { ObjectRecord } from "../store/object-record.js";
import { element, leaf, xmlDocument } from "../xml.js";
import { isAfter, listedObject, listingOf, pageOf } from "./listing.js";

export const listObjectsV2: S3Handler = async ({ store }, exchange) => {
  const { bucket: name, query } = exchange;
  const bucket = store.bucket(name);
  const { encode, encodingType, maxKeys, prefix, delimiter } = listingOf(query);
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after");
  const after = token === undefined ? (startAfter ?? "") : decodeToken(token);
  const page = pageOf(currentObjects(bucket, after), { prefix, delimiter, after, most: maxKeys });
  const last = page.isTruncated ? page.last : undefined;
  await sendXml(
    exchange,
    xmlDocument(
      "ListBucketResult",
      leaf("Name", name),
      leaf("Prefix", encode(prefix)),
      leaf("Delimiter", delimiter && encode(delimiter)),
      leaf("EncodingType", encodingType),
      leaf("MaxKeys", maxKeys),
      leaf("KeyCount", page.entries.length + page.prefixes.length),
      leaf("IsTruncated", page.isTruncated),
      leaf("StartAfter", startAfter && encode(startAfter)),
      leaf("ContinuationToken", token),
      leaf("NextContinuationToken", last && Buffer.from(last).toString("base64url")),
      ...page.entries.map((record) => contents(record, encode)),
      ...page.prefixes.map((common) => element("CommonPrefixes", leaf("Prefix", encode(common)))),
    ),
  );
};

function* currentObjects(bucket: Bucket, after: string): Generator<ObjectRecord> {
  for (const key of bucket.sortedKeys) {
    const record = isAfter(key, after) ? bucket.find(key) : undefined;
    if (record !== undefined) yield record;
  }
}

function contents(record: ObjectRecord, encode: (text: string) => string): string {
  return element("Contents", leaf("Key", encode(record.key)), ...listedObject(record));
}

function decodeToken(token: string): string {
  const last = Buffer.from(token, "base64url");
  if (last.length === 0 || last.toString("base64url") !== token)
    throw new S3Error("InvalidArgument", "The continuation token provided is incorrect");
  return last.toString();
}
