import { createHash } from "node:crypto";
import { decode, type Headers } from "../../http/request-target.js";
import { type ChecksumAlgorithm, checksumAlgorithm } from "../body/checksums.js";
import type { ReceivedBody } from "../body/receive-body.js";
import { readSegments } from "../body/send-object.js";
import { S3Error } from "../s3-error.js";
import { type S3Handler, type S3Service, sendXml } from "../s3-exchange.js";
import type { Bucket } from "../store/bucket.js";
import type { ObjectRecord } from "../store/object-record.js";
import { leaf, xmlDocument } from "../xml.js";
import { copyAnnotations } from "./annotations.js";
import { attributesOfHeaders } from "./attributes.js";
import { requireCopySourceConditions, requireWriteConditions } from "./conditions.js";
import { requireCustomerKey } from "./customer-key.js";
import {
  contentHeaders,
  placementHeaders,
  serverSideEncryptionOf,
  userMetadata,
  versionHeaders,
} from "./object-headers.js";
import { putRecord, requireKeyLength, wholeObject, wholeSecond } from "./objects.js";
import { partChecksum, partNumberOf } from "./parts.js";
import { requireRestored } from "./read.js";

interface CopySource {
  readonly bucket: Bucket;
  readonly record: ObjectRecord;
}

export const copyObject: S3Handler = async (service, exchange) => {
  const { bucket: name, key, headers } = exchange;
  const bucket = service.store.bucket(name);
  requireKeyLength(key);
  const source = copySource(service, headers);
  const replaces = directive(headers, "x-amz-metadata-directive") === "REPLACE";
  const replacesTags = directive(headers, "x-amz-tagging-directive") === "REPLACE";
  const placement = placementHeaders(headers);
  if (isOntoItself(source, bucket, key) && !replaces && !changesPlacement(headers))
    throw new S3Error(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  const { tags = [], ...attributes } = attributesOfHeaders(headers, bucket);
  const described = {
    headers: { ...contentHeaders(replaces ? headers : source.record.headers), ...placement },
    metadata: replaces ? userMetadata(headers) : source.record.metadata,
    ...attributes,
    tags: replacesTags ? tags : (source.record.tags ?? []),
  };
  const wanted = headers["x-amz-checksum-algorithm"] ?? source.record.checksum?.name;
  const algorithm = wanted === undefined ? undefined : checksumAlgorithm(wanted);
  const annotations = excludesAnnotations(headers)
    ? []
    : await copyAnnotations(source.bucket, source.record.annotations ?? [], bucket);
  const { file, body } = await copyBytes(source, bucket, algorithm).catch(async (error: unknown) => {
    await bucket.deleteDataFiles(annotations);
    throw error;
  });
  const copied = { ...described, annotations, ...wholeObject(key, file, body) };
  const record = await putRecord(exchange, bucket, copied, (existing) => requireWriteConditions(headers, existing));
  const { checksum } = record;
  await sendXml(
    exchange,
    xmlDocument(
      "CopyObjectResult",
      leaf("ETag", `"${record.etag}"`),
      leaf("LastModified", new Date(record.modified).toISOString()),
      ...(checksum ? [leaf(`Checksum${checksum.name}`, checksum.value), leaf("ChecksumType", checksum.type)] : []),
    ),
    { ...versionHeaders(bucket, record), ...sourceVersion(source), ...serverSideEncryptionOf(record.headers) },
  );
};

export const uploadPartCopy: S3Handler = async (service, exchange) => {
  const { bucket, key, query, headers } = exchange;
  const number = partNumberOf(query);
  const upload = service.uploads.find(bucket, key, query.get("uploadId"));
  requireCustomerKey(headers, upload.headers);
  const source = copySource(service, headers);
  const range = copyRange(headers["x-amz-copy-source-range"], source.record.size);
  const { file, body } = await copyBytes(source, upload.bucket, upload.checksum?.algorithm, range);
  const part = {
    number,
    file,
    size: body.length,
    tag: body.tag,
    digest: body.checksum?.digest,
    modified: wholeSecond(),
  };
  await service.faults.hold(exchange.target, "commit");
  await service.uploads.addPart(upload, part);
  await sendXml(
    exchange,
    xmlDocument(
      "CopyPartResult",
      leaf("ETag", `"${part.tag.toString("hex")}"`),
      leaf("LastModified", new Date(part.modified).toISOString()),
      partChecksum(upload, part),
    ),
    { ...sourceVersion(source), ...serverSideEncryptionOf(upload.headers) },
  );
};

function copySource({ store }: S3Service, headers: Headers): CopySource {
  const [path = "", version] = (headers["x-amz-copy-source"] ?? "").split("?versionId=");
  // Here S3 takes a "+" for a space, as forms do, and nowhere else.
  const [, name, key] = /^\/?([^/]+)\/(.+)$/s.exec(decode(path.replaceAll("+", " "))) ?? [];
  if (name === undefined || key === undefined)
    throw new S3Error("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  const bucket = store.bucket(name);
  const record = sourceRecord(bucket, key, version);
  requireCustomerKey(headers, record.headers, "x-amz-copy-source-");
  requireRestored(record);
  requireCopySourceConditions(headers, record);
  return { bucket, record };
}

/** A delete marker cannot be copied, which S3 says in words of its own. */
function sourceRecord(bucket: Bucket, key: string, versionId: string | undefined): ObjectRecord {
  try {
    return bucket.get(key, versionId);
  } catch (error) {
    if (!(error instanceof S3Error) || error.code !== "MethodNotAllowed") throw error;
    throw new S3Error(
      "InvalidRequest",
      "The source of a copy request may not specifically refer to a delete marker by version id.",
    );
  }
}

function sourceVersion({ bucket, record }: CopySource): Headers {
  return bucket.settings.versioning === undefined ? {} : { "x-amz-copy-source-version-id": record.versionId };
}

/** Whether the target is what is copied; an older version of it may be made the newest. */
function isOntoItself(source: CopySource, bucket: Bucket, key: string): boolean {
  return source.bucket === bucket && bucket.find(key) === source.record;
}

/** Of a copy onto itself, what must be named when the metadata is not replaced. */
function changesPlacement(headers: Headers): boolean {
  return Object.keys(headers).some((name) =>
    /^x-amz-(?:storage-class|website-redirect-location|server-side-encryption)/.test(name),
  );
}

function excludesAnnotations(headers: Headers): boolean {
  const value = headers["x-amz-object-annotation-directive"] ?? "COPY";
  if (value !== "COPY" && value !== "EXCLUDE") throw new S3Error("InvalidArgument", "Unknown annotation directive.");
  return value === "EXCLUDE";
}

function directive(headers: Headers, name: string): "COPY" | "REPLACE" {
  const value = headers[name] ?? "COPY";
  if (value !== "COPY" && value !== "REPLACE")
    throw new S3Error("InvalidArgument", `Unknown ${name.slice("x-amz-".length).replace("-", " ")}.`);
  return value;
}

/** Unlike the range of a GET, this one has to be whole and inside the object. */
function copyRange(header: string | undefined, size: number): { start: number; length: number } {
  if (header === undefined) return { start: 0, length: size };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
  const [start, end] = [Number(first), Number(last) + 1];
  if (!(start < end && end <= size))
    throw new S3Error(
      "InvalidArgument",
      `The x-amz-copy-source-range value must be of the form bytes=first-last, inside the ${size} bytes of the source.`,
    );
  return { start, length: end - start };
}

async function copyBytes(
  { bucket, record }: CopySource,
  to: Bucket,
  algorithm: ChecksumAlgorithm | undefined,
  { start, length } = { start: 0, length: record.size },
): Promise<{ file: string; body: ReceivedBody }> {
  const md5 = createHash("md5");
  const state = algorithm?.start();
  const { file, writer } = await to.createDataFile();
  try {
    await bucket.whileReading(record, async () => {
      for await (const piece of readSegments(bucket.segments(record, start, length))) {
        md5.update(piece);
        state?.update(piece);
        // The reader uses its buffers again.
        if (!writer.write(Buffer.from(piece)))
          await new Promise<void>((resolve) => {
            writer.onDrain = resolve;
          });
      }
    });
    await writer.finish();
  } catch (error) {
    await writer.discard();
    throw error;
  }
  const checksum = algorithm && state && { algorithm, digest: state.digest() };
  return { file, body: { length, tag: md5.digest(), checksum } };
}
