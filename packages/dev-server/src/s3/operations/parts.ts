import { checksumHeader } from "../body/checksums.js";
import { S3Error } from "../s3-error.js";
import { type S3Handler, sendEmpty, sendXml } from "../s3-exchange.js";
import type { MultipartUpload, UploadedPart } from "../store/multipart-uploads.js";
import { element, leaf, xmlDocument } from "../xml.js";
import { requireCustomerKey } from "./customer-key.js";
import { serverSideEncryptionOf } from "./object-headers.js";
import { receiveFile, wholeSecond } from "./objects.js";

const mostParts = 10_000;

export const uploadPart: S3Handler = async ({ uploads, faults }, exchange) => {
  const { bucket, key, query } = exchange;
  const number = partNumberOf(query);
  const upload = uploads.find(bucket, key, query.get("uploadId"));
  requireCustomerKey(exchange.headers, upload.headers);
  const { file, body } = await receiveFile(upload.bucket, exchange, upload.checksum?.algorithm);
  await faults.hold(exchange.target, "commit");
  await uploads.addPart(upload, {
    number,
    file,
    size: body.length,
    tag: body.tag,
    digest: upload.checksum && body.checksum?.digest,
    modified: wholeSecond(),
  });
  await sendEmpty(exchange, 200, {
    etag: `"${body.tag.toString("hex")}"`,
    ...serverSideEncryptionOf(upload.headers),
    ...(body.checksum && {
      [checksumHeader(body.checksum.algorithm.name)]: body.checksum.digest.toString("base64"),
    }),
  });
};

export const listParts: S3Handler = async ({ uploads }, exchange) => {
  const { bucket, key, query } = exchange;
  const upload = uploads.find(bucket, key, query.get("uploadId"));
  const marker = Number(query.get("part-number-marker") ?? 0);
  const most = Math.min(1000, Number(query.get("max-parts") ?? 1000));
  const after = [...upload.parts.values()].sort((a, b) => a.number - b.number).filter(({ number }) => number > marker);
  const listed = after.slice(0, most);
  await sendXml(
    exchange,
    xmlDocument(
      "ListPartsResult",
      leaf("Bucket", bucket),
      leaf("Key", key),
      leaf("UploadId", upload.id),
      leaf("PartNumberMarker", marker),
      leaf("NextPartNumberMarker", listed.at(-1)?.number),
      leaf("MaxParts", most),
      leaf("IsTruncated", listed.length < after.length),
      leaf("ChecksumAlgorithm", upload.checksum?.algorithm.name),
      leaf("ChecksumType", upload.checksum?.type),
      leaf("StorageClass", upload.headers["x-amz-storage-class"] ?? "STANDARD"),
      ...listed.map((part) =>
        element(
          "Part",
          leaf("PartNumber", part.number),
          leaf("LastModified", new Date(part.modified).toISOString()),
          leaf("ETag", `"${part.tag.toString("hex")}"`),
          leaf("Size", part.size),
          partChecksum(upload, part),
        ),
      ),
    ),
  );
};

/** @throws S3Error for a number that no part can have */
export function partNumberOf(query: ReadonlyMap<string, string>): number {
  const text = query.get("partNumber") ?? "";
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > mostParts)
    throw new S3Error("InvalidArgument", `Part number must be an integer between 1 and ${mostParts}, inclusive`);
  return number;
}

/** The checksum of a part as an element; nothing when the upload has none. */
export function partChecksum({ checksum }: MultipartUpload, { digest }: UploadedPart): string {
  return checksum === undefined ? "" : leaf(`Checksum${checksum.algorithm.name}`, digest?.toString("base64"));
}
