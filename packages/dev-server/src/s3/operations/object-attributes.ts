import { S3Error } from "../s3-error.js";
import { type S3Handler, sendXml } from "../s3-exchange.js";
import type { ObjectRecord } from "../store/object-record.js";
import { element, leaf, xmlDocument } from "../xml.js";
import { requireCustomerKey } from "./customer-key.js";
import { versionHeaders } from "./object-headers.js";

const largestPage = 1000;

export const getObjectAttributes: S3Handler = async ({ store }, exchange) => {
  const { key, query, headers } = exchange;
  const bucket = store.bucket(exchange.bucket);
  const record = bucket.get(key, query.get("versionId"));
  requireCustomerKey(headers, record.headers);
  const wanted = (headers["x-amz-object-attributes"] ?? "").split(",").map((name) => name.trim());
  const unknown = wanted.find((name) => !/^(?:ETag|Checksum|ObjectParts|StorageClass|ObjectSize)$/.test(name));
  if (unknown !== undefined) throw new S3Error("InvalidArgument", "Invalid attribute name specified.");
  const described: Readonly<Record<string, string>> = {
    ETag: leaf("ETag", record.etag),
    Checksum: checksumOf(record),
    ObjectParts: partsOf(record, Number(headers["x-amz-part-number-marker"] ?? 0), headers["x-amz-max-parts"]),
    StorageClass: leaf("StorageClass", record.headers["x-amz-storage-class"] ?? "STANDARD"),
    ObjectSize: leaf("ObjectSize", record.size),
  };
  const document = xmlDocument("GetObjectAttributesResponse", ...wanted.map((name) => described[name] ?? ""));
  const modified = { "last-modified": new Date(record.modified).toUTCString() };
  await sendXml(exchange, document, { ...modified, ...versionHeaders(bucket, record) });
};

function checksumOf({ checksum }: ObjectRecord): string {
  if (checksum === undefined) return "";
  return element("Checksum", leaf(`Checksum${checksum.name}`, checksum.value), leaf("ChecksumType", checksum.type));
}

/** S3 lists the parts only where they have checksums of their own, and counts them otherwise. */
function partsOf(
  { parts, isMultipart, checksum }: ObjectRecord,
  marker: number,
  maxParts = String(largestPage),
): string {
  if (!isMultipart) return "";
  const count = leaf("PartsCount", parts.length);
  if (checksum === undefined) return element("ObjectParts", count);
  const most = Math.min(largestPage, Number(maxParts));
  const listed = parts.map((part, index) => ({ ...part, number: index + 1 })).slice(marker, marker + most);
  return element(
    "ObjectParts",
    count,
    leaf("PartNumberMarker", marker),
    leaf("NextPartNumberMarker", listed.at(-1)?.number),
    leaf("MaxParts", most),
    leaf("IsTruncated", marker + listed.length < parts.length),
    ...listed.map((part) =>
      element(
        "Part",
        leaf("PartNumber", part.number),
        leaf("Size", part.size),
        leaf(`Checksum${checksum.name}`, part.checksum),
      ),
    ),
  );
}
