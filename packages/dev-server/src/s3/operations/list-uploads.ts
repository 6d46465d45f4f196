import { type S3Handler, sendXml } from "../s3-exchange.js";
import type { MultipartUpload } from "../store/multipart-uploads.js";
import { element, leaf, xmlDocument } from "../xml.js";
import { isAfter, listingOf, pageOf } from "./listing.js";

export const listMultipartUploads: S3Handler = async ({ store, uploads }, exchange) => {
  const { query } = exchange;
  const bucket = store.bucket(exchange.bucket);
  const { encode, encodingType, maxKeys, prefix, delimiter } = listingOf(query, "max-uploads");
  const keyMarker = query.get("key-marker") ?? "";
  const idMarker = keyMarker === "" ? undefined : query.get("upload-id-marker") || undefined;
  const sorted = uploads.of(bucket);
  const marked = sorted.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  const after = sorted.filter(
    ({ key }, index) => isAfter(key, keyMarker) || (marked >= 0 && key === keyMarker && index > marked),
  );
  const page = pageOf(after, { prefix, delimiter, after: keyMarker, most: maxKeys });
  await sendXml(
    exchange,
    xmlDocument(
      "ListMultipartUploadsResult",
      leaf("Bucket", bucket.name),
      leaf("KeyMarker", encode(keyMarker)),
      leaf("UploadIdMarker", idMarker ?? ""),
      leaf("Prefix", encode(prefix)),
      leaf("Delimiter", delimiter && encode(delimiter)),
      leaf("EncodingType", encodingType),
      leaf("MaxUploads", maxKeys),
      leaf("IsTruncated", page.isTruncated),
      leaf("NextKeyMarker", page.isTruncated && page.last !== undefined ? encode(page.last) : undefined),
      leaf("NextUploadIdMarker", page.isTruncated ? page.entries.at(-1)?.id : undefined),
      ...page.entries.map((upload) => listed(upload, encode)),
      ...page.prefixes.map((common) => element("CommonPrefixes", leaf("Prefix", encode(common)))),
    ),
  );
};

function listed({ key, id, started, headers, checksum }: MultipartUpload, encode: (text: string) => string): string {
  return element(
    "Upload",
    leaf("Key", encode(key)),
    leaf("UploadId", id),
    leaf("Initiated", new Date(started).toISOString()),
    leaf("StorageClass", headers["x-amz-storage-class"] ?? "STANDARD"),
    leaf("ChecksumAlgorithm", checksum?.algorithm.name),
    leaf("ChecksumType", checksum?.type),
  );
}
