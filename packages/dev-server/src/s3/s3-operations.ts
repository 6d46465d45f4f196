import type { Headers, RequestTarget } from "../http/request-target.js";
import { getObjectAcl, putObjectAcl } from "./operations/acl.js";
import {
  deleteObjectAnnotation,
  getObjectAnnotation,
  listObjectAnnotations,
  putObjectAnnotation,
} from "./operations/annotations.js";
import { createBucket, deleteBucket, headBucket, listBuckets } from "./operations/buckets.js";
import { copyObject, uploadPartCopy } from "./operations/copy.js";
import { deleteObject, deleteObjects } from "./operations/delete.js";
import { listObjectsV2 } from "./operations/list.js";
import { listMultipartUploads } from "./operations/list-uploads.js";
import { listObjectVersions } from "./operations/list-versions.js";
import { abortMultipartUpload, completeMultipartUpload, createMultipartUpload } from "./operations/multipart.js";
import { getObjectAttributes } from "./operations/object-attributes.js";
import {
  getObjectLegalHold,
  getObjectLockConfiguration,
  getObjectRetention,
  putObjectLegalHold,
  putObjectLockConfiguration,
  putObjectRetention,
} from "./operations/object-lock.js";
import { putObject } from "./operations/objects.js";
import { listParts, uploadPart } from "./operations/parts.js";
import { getObject, headObject } from "./operations/read.js";
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from "./operations/tagging.js";
import { getBucketVersioning, putBucketVersioning } from "./operations/versioning.js";
import type { AnnotationSupport, S3Handler } from "./s3-exchange.js";

/** A row of the table of operations. */
export interface S3Operation {
  /** The API's name of it. */
  readonly name: string;
  readonly handler: S3Handler;
  readonly method: string;
  readonly level: "service" | "bucket" | "object";
  /** Query parameters that make a request this operation, with the value they must have, if any. */
  readonly requires?: Readonly<Record<string, string | undefined>>;
  /** Whether `x-amz-copy-source` must be there; it must not be elsewhere. */
  readonly copies?: true;
  /** Further query parameters that it obeys. */
  readonly allows?: readonly string[];
}

const responseOverrides = ["type", "language", "expires", "cache-control", "disposition", "encoding"].map((name) =>
  /^(expires|cache-control)$/.test(name) ? `response-${name}` : `response-content-${name}`,
);
const version = ["versionId"];
const reading = ["partNumber", ...version, ...responseOverrides];
const part = { partNumber: undefined, uploadId: undefined };
const upload = { uploadId: undefined };
const listing = ["prefix", "delimiter", "max-keys", "encoding-type"];

/** A row: `PUT object?tagging` is the method, the level, and the parameters that must be there without a value. */
function row(name: string, request: string, handler: S3Handler, allows: readonly string[] = []): S3Operation {
  const [, method = "", level = "", flag] = /^(\w+) (service|bucket|object)(?:\?([\w-]+))?$/.exec(request) ?? [];
  if (level !== "service" && level !== "bucket" && level !== "object") throw new Error(`${request} is no request.`);
  return { name, handler, method, level, allows, ...(flag !== undefined && { requires: { [flag]: "" } }) };
}

const named = { annotation: "", annotationName: undefined };
const annotationOperations: readonly S3Operation[] = [
  { ...row("PutObjectAnnotation", "PUT object", putObjectAnnotation, version), requires: named },
  { ...row("GetObjectAnnotation", "GET object", getObjectAnnotation, version), requires: named },
  { ...row("DeleteObjectAnnotation", "DELETE object", deleteObjectAnnotation, version), requires: named },
  row("ListObjectAnnotations", "GET object?annotation", listObjectAnnotations, [
    ...version,
    "annotation-prefix",
    "max-annotation-results",
    "continuation-token",
  ]),
];

// The first row that fits is taken, so those that require more stand before those that require less.
const operations: readonly S3Operation[] = [
  row("ListBuckets", "GET service", listBuckets),
  row("CreateBucket", "PUT bucket", createBucket),
  row("HeadBucket", "HEAD bucket", headBucket),
  row("DeleteBucket", "DELETE bucket", deleteBucket),
  row("DeleteObjects", "POST bucket?delete", deleteObjects),
  row("GetBucketVersioning", "GET bucket?versioning", getBucketVersioning),
  row("PutBucketVersioning", "PUT bucket?versioning", putBucketVersioning),
  row("ListObjectVersions", "GET bucket?versions", listObjectVersions, [...listing, "key-marker", "version-id-marker"]),
  {
    ...row("ListObjectsV2", "GET bucket", listObjectsV2, [
      ...listing,
      "start-after",
      "continuation-token",
      "fetch-owner",
    ]),
    requires: { "list-type": "2" },
  },
  row("ListMultipartUploads", "GET bucket?uploads", listMultipartUploads, [
    ...listing,
    "max-uploads",
    "key-marker",
    "upload-id-marker",
  ]),
  row("GetObjectLockConfiguration", "GET bucket?object-lock", getObjectLockConfiguration),
  row("PutObjectLockConfiguration", "PUT bucket?object-lock", putObjectLockConfiguration),
  row("GetObjectRetention", "GET object?retention", getObjectRetention, version),
  row("PutObjectRetention", "PUT object?retention", putObjectRetention, version),
  row("GetObjectLegalHold", "GET object?legal-hold", getObjectLegalHold, version),
  row("PutObjectLegalHold", "PUT object?legal-hold", putObjectLegalHold, version),
  row("GetObjectAcl", "GET object?acl", getObjectAcl, version),
  row("PutObjectAcl", "PUT object?acl", putObjectAcl, version),
  row("GetObjectAttributes", "GET object?attributes", getObjectAttributes, version),
  row("GetObjectTagging", "GET object?tagging", getObjectTagging, version),
  row("PutObjectTagging", "PUT object?tagging", putObjectTagging, version),
  row("DeleteObjectTagging", "DELETE object?tagging", deleteObjectTagging, version),
  { ...row("UploadPartCopy", "PUT object", uploadPartCopy), requires: part, copies: true },
  { ...row("UploadPart", "PUT object", uploadPart), requires: part },
  { ...row("CopyObject", "PUT object", copyObject), copies: true },
  row("PutObject", "PUT object", putObject),
  row("CreateMultipartUpload", "POST object?uploads", createMultipartUpload),
  { ...row("CompleteMultipartUpload", "POST object", completeMultipartUpload), requires: upload },
  { ...row("AbortMultipartUpload", "DELETE object", abortMultipartUpload), requires: upload },
  { ...row("ListParts", "GET object", listParts, ["max-parts", "part-number-marker"]), requires: upload },
  row("DeleteObject", "DELETE object", deleteObject, version),
  row("GetObject", "GET object", getObject, reading),
  row("HeadObject", "HEAD object", headObject, reading),
];

/** Which operation a request is; undefined for all that this server does not implement. */
export function findOperation(
  method: string,
  { bucket, key, query }: RequestTarget,
  headers: Headers,
  annotations: AnnotationSupport,
): S3Operation | undefined {
  const level = key !== "" ? "object" : bucket !== "" ? "bucket" : "service";
  const known = annotations === "supported" ? [...annotationOperations, ...operations] : operations;
  const names = [...query.keys()].filter((name) => annotations !== "ignored" || !isOfAnnotation(name, query));
  return known.find(
    (operation) =>
      operation.method === method &&
      operation.level === level &&
      (operation.copies ?? false) === "x-amz-copy-source" in headers &&
      Object.entries(operation.requires ?? {}).every(
        ([name, value]) => names.includes(name) && (value === undefined || query.get(name) === value),
      ) &&
      names.every((name) => isUnderstood(operation, name)),
  );
}

function isOfAnnotation(name: string, query: ReadonlyMap<string, string>): boolean {
  return (
    /^(?:annotation|annotationName|annotation-prefix|max-annotation-results)$/.test(name) ||
    (name === "continuation-token" && query.has("annotation"))
  );
}

/** A parameter that nobody acts on would turn one operation into another: `?acl` is not a plain GET. */
function isUnderstood({ requires = {}, allows = [] }: S3Operation, name: string): boolean {
  if (name === "x-id" || /^x-amz-/i.test(name)) return true;
  return name in requires || allows.includes(name);
}
