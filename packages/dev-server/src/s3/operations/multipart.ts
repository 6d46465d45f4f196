import { createHash } from "node:crypto";
import type { Headers } from "../../http/request-target.js";
import {
  type ChecksumAlgorithm,
  type ChecksumType,
  checksumAlgorithm,
  checksumOfParts,
  type StoredChecksum,
} from "../body/checksums.js";
import { receiveText } from "../body/receive-body.js";
import { S3Error } from "../s3-error.js";
import { type S3Handler, sendEmpty, sendXml } from "../s3-exchange.js";
import type { MultipartUpload, UploadedPart } from "../store/multipart-uploads.js";
import type { NewObject } from "../store/object-record.js";
import { childText, leaf, malformed, parseXml, type XmlElement, xmlDocument } from "../xml.js";
import { attributesOfHeaders } from "./attributes.js";
import { requireWriteConditions } from "./conditions.js";
import {
  checksumHeaders,
  serverSideEncryptionOf,
  systemHeaders,
  userMetadata,
  versionHeaders,
} from "./object-headers.js";
import { requireKeyLength, wholeSecond } from "./objects.js";

const smallestPart = 5 * 2 ** 20;

export const createMultipartUpload: S3Handler = async ({ store, uploads }, exchange) => {
  const { bucket, key, headers } = exchange;
  requireKeyLength(key);
  const target = store.bucket(bucket);
  const upload = uploads.start({
    bucket: target,
    key,
    headers: systemHeaders(headers),
    metadata: userMetadata(headers),
    attributes: attributesOfHeaders(headers, target),
    checksum: wantedChecksum(headers),
  });
  const { checksum } = upload;
  await sendXml(
    exchange,
    xmlDocument("InitiateMultipartUploadResult", leaf("Bucket", bucket), leaf("Key", key), leaf("UploadId", upload.id)),
    {
      ...serverSideEncryptionOf(upload.headers),
      ...(checksum && { "x-amz-checksum-algorithm": checksum.algorithm.name, "x-amz-checksum-type": checksum.type }),
    },
  );
};

export const completeMultipartUpload: S3Handler = async ({ uploads, faults }, exchange) => {
  const { bucket, key, query, headers, request } = exchange;
  const upload = uploads.find(bucket, key, query.get("uploadId"));
  const root = parseXml(
    await receiveText({ ...exchange, headers: withoutObjectChecksum(headers) }, 8 << 20),
    "CompleteMultipartUpload",
  );
  const parts = chosenParts(upload, root);
  const completed = recordOf(upload, parts);
  requireAnnounced(headers, completed);
  await faults.hold(exchange.target, "commit");
  // The upload ends inside the key's turn, with the condition: two completions cannot both succeed.
  const record = await upload.bucket.put(completed, (existing) => {
    uploads.find(bucket, key, upload.id);
    requireWriteConditions(headers, existing);
    uploads.end(upload);
  });
  await upload.bucket.deleteDataFiles([...upload.parts.values()].filter((part) => !parts.includes(part)));
  const { checksum } = record;
  const scheme = Reflect.get(request.socket, "encrypted") === true ? "https" : "http";
  await sendXml(
    exchange,
    xmlDocument(
      "CompleteMultipartUploadResult",
      leaf("Location", `${scheme}://${request.headers.host ?? "localhost"}/${bucket}/${key}`),
      leaf("Bucket", bucket),
      leaf("Key", key),
      leaf("ETag", `"${record.etag}"`),
      ...(checksum ? [leaf(`Checksum${checksum.name}`, checksum.value), leaf("ChecksumType", checksum.type)] : []),
    ),
    { ...versionHeaders(upload.bucket, record), ...serverSideEncryptionOf(record.headers) },
  );
};

export const abortMultipartUpload: S3Handler = async ({ uploads }, exchange) => {
  const { bucket, key, query } = exchange;
  const upload = uploads.find(bucket, key, query.get("uploadId"));
  uploads.end(upload);
  await upload.bucket.deleteDataFiles([...upload.parts.values()]);
  await sendEmpty(exchange, 204);
};

function wantedChecksum(headers: Headers): { algorithm: ChecksumAlgorithm; type: ChecksumType } | undefined {
  const name = headers["x-amz-checksum-algorithm"];
  const type = headers["x-amz-checksum-type"]?.toUpperCase();
  if (name === undefined) return undefined;
  const algorithm = checksumAlgorithm(name);
  const isWholeOnly = algorithm.crc?.bits === 64;
  if (type !== undefined && type !== "FULL_OBJECT" && type !== "COMPOSITE")
    throw new S3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.");
  if (type === "FULL_OBJECT" ? algorithm.crc === undefined : type === "COMPOSITE" && isWholeOnly)
    throw new S3Error(
      "InvalidRequest",
      `The ${type} checksum type cannot be used with the ${name} checksum algorithm.`,
    );
  return { algorithm, type: type ?? (isWholeOnly ? "FULL_OBJECT" : "COMPOSITE") };
}

/** Of a completion, x-amz-checksum- headers are about the object and not about the XML that is the body. */
function withoutObjectChecksum(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^x-amz-(?:sdk-)?checksum-/.test(name)));
}

function chosenParts(upload: MultipartUpload, root: XmlElement): UploadedPart[] {
  const listed = root.children.filter(({ name }) => name === "Part");
  if (listed.length === 0) throw malformed();
  let last = 0;
  const parts = listed.map((item) => {
    const number = Number(childText(item, "PartNumber"));
    if (!(number > last)) throw new S3Error("InvalidPartOrder", "The list of parts was not in ascending order.");
    last = number;
    return chosenPart(upload, item, number);
  });
  for (const { number, size } of parts.slice(0, -1))
    if (size < smallestPart)
      throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
        PartNumber: String(number),
        ProposedSize: String(size),
        MinSizeAllowed: String(smallestPart),
      });
  return parts;
}

function chosenPart({ parts, checksum }: MultipartUpload, item: XmlElement, number: number): UploadedPart {
  const part = parts.get(number);
  const name = checksum?.algorithm.name;
  const sent = name === undefined ? undefined : childText(item, `Checksum${name}`);
  if (checksum?.type === "COMPOSITE" && sent === undefined)
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using a ${name?.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  if (
    part === undefined ||
    childText(item, "ETag")?.replaceAll('"', "") !== part.tag.toString("hex") ||
    (sent !== undefined && sent !== part.digest?.toString("base64"))
  )
    throw new S3Error(
      "InvalidPart",
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      { PartNumber: String(number) },
    );
  return part;
}

function recordOf(upload: MultipartUpload, parts: readonly UploadedPart[]): NewObject {
  const { key, headers, metadata, attributes } = upload;
  const md5 = createHash("md5");
  for (const part of parts) md5.update(part.tag);
  const checksum = checksumOf(upload, parts);
  return {
    key,
    headers,
    metadata,
    ...attributes,
    etag: `${md5.digest("hex")}-${parts.length}`,
    size: parts.reduce((sum, { size }) => sum + size, 0),
    modified: wholeSecond(),
    parts: parts.map(({ file, size, digest }) => ({
      file,
      size,
      ...(digest && { checksum: digest.toString("base64") }),
    })),
    isMultipart: true,
    ...(checksum && { checksum }),
  };
}

function checksumOf({ checksum }: MultipartUpload, parts: readonly UploadedPart[]): StoredChecksum | undefined {
  if (checksum === undefined) return undefined;
  const digests = parts.map(({ digest = Buffer.alloc(0), size }) => ({ digest, size }));
  return checksumOfParts(checksum.algorithm, checksum.type, digests);
}

/** Compares what the client says about the finished object with what it is. */
function requireAnnounced(headers: Headers, { size, checksum }: NewObject): void {
  const announcedSize = headers["x-amz-mp-object-size"];
  if (announcedSize !== undefined && Number(announcedSize) !== size)
    throw new S3Error(
      "InvalidRequest",
      `The provided 'x-amz-mp-object-size' header does not match the ${size} bytes uploaded.`,
    );
  const type = headers["x-amz-checksum-type"]?.toUpperCase();
  if (type !== undefined && type !== checksum?.type)
    throw new S3Error("InvalidRequest", "The checksum type does not match the one the upload was created with.");
  for (const [name, value] of Object.entries(checksumHeaders(checksum)))
    if (name !== "x-amz-checksum-type" && headers[name] !== undefined && headers[name] !== value)
      throw new S3Error("BadDigest", "The checksum you specified did not match the calculated checksum.");
}
