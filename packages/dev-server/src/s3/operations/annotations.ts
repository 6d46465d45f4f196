import { readFile } from "node:fs/promises";
import { type ReceivedBody, receiveBytes } from "../body/receive-body.js";
import { sendBytes } from "../body/send-object.js";
import { S3Error } from "../s3-error.js";
import { beginAnswer, type S3Exchange, type S3Handler, sendEmpty, sendXml } from "../s3-exchange.js";
import type { Bucket } from "../store/bucket.js";
import type { Annotation, ObjectRecord } from "../store/object-record.js";
import { element, leaf, xmlDocument } from "../xml.js";
import { requireObjectMatch } from "./conditions.js";
import { annotationVersion, checksumHeaders, serverSideEncryptionOf } from "./object-headers.js";
import { bypassesGovernance, requireUnlocked } from "./object-lock.js";
import { storedChecksum, wholeSecond } from "./objects.js";

const longestName = 512;
const largestPayload = 1 << 20;
const mostAnnotations = 1000;

export const putObjectAnnotation: S3Handler = async ({ store, faults }, exchange) => {
  const { key, query, headers, target } = exchange;
  const bucket = store.bucket(exchange.bucket);
  const name = annotationName(query);
  requireAnnotatable(bucket.get(key, query.get("versionId")));
  const annotation = await receiveAnnotation(exchange, bucket, name);
  await faults.hold(target, "commit");
  const record = await bucket
    .change(key, query.get("versionId"), (current) => {
      requireAnnotatable(current);
      requireObjectMatch(headers, current);
      return { annotations: withAnnotation(current.annotations, annotation) };
    })
    .catch(async (error: unknown) => {
      await bucket.deleteDataFiles([annotation]);
      throw error;
    });
  await sendXml(exchange, xmlDocument("PutObjectAnnotationOutput", leaf("Key", key), leaf("AnnotationName", name)), {
    etag: `"${annotation.etag}"`,
    ...annotationVersion(bucket, record),
    ...checksumHeaders(annotation.checksum),
    ...serverSideEncryptionOf(record.headers),
  });
};

export const getObjectAnnotation: S3Handler = async ({ store }, exchange) => {
  const { key, query, headers } = exchange;
  const bucket = store.bucket(exchange.bucket);
  const record = bucket.get(key, query.get("versionId"));
  const name = query.get("annotationName") ?? "";
  const annotation = record.annotations?.find((other) => other.name === name);
  const bytes = annotation && (await readFile(bucket.dataPath(annotation.file)).catch(() => undefined));
  // It may have been deleted between the two lines above.
  if (annotation === undefined || bytes === undefined)
    throw new S3Error("NoSuchAnnotation", "The specified annotation does not exist on this object.", {
      AnnotationName: name,
    });
  const wantsChecksum = headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED";
  await beginAnswer(exchange, 200, {
    "content-length": annotation.size,
    "content-type": "binary/octet-stream",
    etag: `"${annotation.etag}"`,
    "last-modified": new Date(annotation.modified).toUTCString(),
    ...annotationVersion(bucket, record),
    ...(wantsChecksum && checksumHeaders(annotation.checksum)),
    ...serverSideEncryptionOf(record.headers),
  });
  sendBytes(exchange, bytes);
};

export const deleteObjectAnnotation: S3Handler = async ({ store, faults }, exchange) => {
  const { key, query, headers, target } = exchange;
  const bucket = store.bucket(exchange.bucket);
  const name = annotationName(query);
  await faults.hold(target, "commit");
  const record = await bucket.change(key, query.get("versionId"), (current) => {
    requireObjectMatch(headers, current);
    requireUnlocked(current, bypassesGovernance(headers));
    return { annotations: (current.annotations ?? []).filter((other) => other.name !== name) };
  });
  await sendEmpty(exchange, 204, annotationVersion(bucket, record));
};

export const listObjectAnnotations: S3Handler = async ({ store }, exchange) => {
  const { key, query } = exchange;
  const bucket = store.bucket(exchange.bucket);
  const record = bucket.get(key, query.get("versionId"));
  const prefix = query.get("annotation-prefix");
  if (Buffer.byteLength(prefix ?? "") > longestName)
    throw new S3Error("InvalidPrefix", "The annotation prefix you provided is invalid.");
  const most = mostOf(query.get("max-annotation-results"));
  const token = query.get("continuation-token");
  const after = Buffer.from(token ?? "", "base64url");
  const matching = (record.annotations ?? []).filter(
    ({ name }) =>
      name.startsWith(prefix ?? "") && (token === undefined || Buffer.compare(Buffer.from(name), after) > 0),
  );
  const page = matching.slice(0, most);
  const last = page.length < matching.length ? page.at(-1) : undefined;
  await sendXml(
    exchange,
    xmlDocument(
      "ListObjectAnnotationsOutput",
      element("Annotations", ...page.map(listed)),
      leaf("Bucket", bucket.name),
      leaf("Key", key),
      leaf("AnnotationPrefix", prefix),
      leaf("MaxAnnotationResults", most),
      leaf("AnnotationCount", page.length),
      leaf("ContinuationToken", token),
      leaf("NextContinuationToken", last && Buffer.from(last.name).toString("base64url")),
    ),
    annotationVersion(bucket, record),
  );
};

function listed({ name, modified, size, etag, checksum }: Annotation): string {
  return element(
    "AnnotationEntry",
    leaf("AnnotationName", name),
    leaf("LastModified", new Date(modified).toISOString()),
    leaf("Size", size),
    leaf("ETag", `"${etag}"`),
    leaf("ChecksumAlgorithm", checksum?.name),
  );
}

function mostOf(text: string | undefined): number {
  if (text === undefined) return mostAnnotations;
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1)
    throw new S3Error("InvalidArgument", "max-annotation-results must be a whole number above 0");
  return Math.min(mostAnnotations, Number(text));
}

function annotationName(query: ReadonlyMap<string, string>): string {
  const name = query.get("annotationName") ?? "";
  if (Buffer.byteLength(name) > longestName)
    throw new S3Error("AnnotationNameTooLong", `The annotation name exceeds ${longestName} bytes.`);
  if (name === "" || /^(?:aws|s3)/i.test(name))
    throw new S3Error("InvalidAnnotationName", "The annotation name you provided is invalid.", {
      AnnotationName: name,
    });
  return name;
}

function requireAnnotatable({ headers }: ObjectRecord): void {
  if ("x-amz-server-side-encryption-customer-algorithm" in headers)
    throw new S3Error("InvalidRequest", "Objects that are encrypted with keys of the customer have no annotations.");
}

function withAnnotation(existing: readonly Annotation[] = [], added: Annotation): readonly Annotation[] {
  const others = existing.filter(({ name }) => name !== added.name);
  if (others.length >= mostAnnotations)
    throw new S3Error(
      "AnnotationLimitExceeded",
      "The request would exceed the maximum number of annotations allowed per object.",
    );
  return [...others, added].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

async function receiveAnnotation(exchange: S3Exchange, bucket: Bucket, name: string): Promise<Annotation> {
  const wrongSize = new S3Error("InvalidRequest", "An annotation has from 1 byte to 1 MiB.");
  const { bytes, body } = await receiveBytes(exchange, largestPayload, wrongSize);
  if (bytes.length === 0) throw wrongSize;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new S3Error("UnsupportedMediaType", "The annotation payload is not valid UTF-8 encoded text.");
  }
  return { name, ...(await storeAnnotation(bucket, bytes, body)) };
}

async function storeAnnotation(bucket: Bucket, bytes: Buffer, body: ReceivedBody): Promise<Omit<Annotation, "name">> {
  const { file, writer } = await bucket.createDataFile();
  writer.write(bytes);
  await writer.finish();
  const checksum = storedChecksum(body);
  return {
    file,
    size: bytes.length,
    etag: body.tag.toString("hex"),
    modified: wholeSecond(),
    ...(checksum && { checksum }),
  };
}

/** Copies annotations for an object in another place or of another version, which has files of its own. */
export async function copyAnnotations(
  from: Bucket,
  annotations: readonly Annotation[],
  to: Bucket,
): Promise<readonly Annotation[]> {
  const copied: Annotation[] = [];
  try {
    for (const annotation of annotations) {
      const bytes = await readFile(from.dataPath(annotation.file));
      const { file, writer } = await to.createDataFile();
      writer.write(bytes);
      await writer.finish();
      copied.push({ ...annotation, file, modified: wholeSecond() });
    }
  } catch (error) {
    await to.deleteDataFiles(copied);
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    throw new S3Error("OperationAborted", "The annotations of the source were changed while they were copied.");
  }
  return copied;
}
