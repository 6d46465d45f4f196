import type { Headers, RequestTarget } from "../http/request-target.js";
import { createBucket, deleteBucket, headBucket, listBuckets } from "./operations/buckets.js";
import { copyObject, uploadPartCopy } from "./operations/copy.js";
import { listObjectsV2 } from "./operations/list.js";
import { abortMultipartUpload, completeMultipartUpload, createMultipartUpload } from "./operations/multipart.js";
import { deleteObject, deleteObjects, getObject, headObject, putObject } from "./operations/objects.js";
import { listParts, uploadPart } from "./operations/parts.js";
import type { S3Handler } from "./s3-exchange.js";

interface S3Operation {
  readonly name: string;
  readonly handler: S3Handler;
  readonly method: string;
  readonly level: "service" | "bucket" | "object";
  /** Query parameters that make a request this operation, with the value they must have, if any. */
  readonly requires?: Readonly<Record<string, string | undefined>>;
  /** Whether `x-amz-copy-source` must be there; it must not be elsewhere. */
  readonly copies?: true;
  readonly allows?: readonly string[];
}

const responseOverrides = ["type", "language", "expires", "cache-control", "disposition", "encoding"].map((name) =>
  /^(expires|cache-control)$/.test(name) ? `response-${name}` : `response-content-${name}`,
);
const reading = ["partNumber", "versionId", ...responseOverrides];
const part = { partNumber: undefined, uploadId: undefined };
const upload = { uploadId: undefined };
const listing = [
  "prefix",
  "delimiter",
  "max-keys",
  "start-after",
  "continuation-token",
  "encoding-type",
  "fetch-owner",
];

// The first row that fits is taken, so those that require more stand before those that require less.
const operations: readonly S3Operation[] = [
  { name: "ListBuckets", handler: listBuckets, method: "GET", level: "service" },
  { name: "CreateBucket", handler: createBucket, method: "PUT", level: "bucket" },
  { name: "HeadBucket", handler: headBucket, method: "HEAD", level: "bucket" },
  { name: "DeleteBucket", handler: deleteBucket, method: "DELETE", level: "bucket" },
  { name: "DeleteObjects", handler: deleteObjects, method: "POST", level: "bucket", requires: { delete: "" } },
  {
    name: "ListObjectsV2",
    handler: listObjectsV2,
    method: "GET",
    level: "bucket",
    requires: { "list-type": "2" },
    allows: listing,
  },
  { name: "UploadPartCopy", handler: uploadPartCopy, method: "PUT", level: "object", requires: part, copies: true },
  { name: "UploadPart", handler: uploadPart, method: "PUT", level: "object", requires: part },
  { name: "CopyObject", handler: copyObject, method: "PUT", level: "object", copies: true },
  { name: "PutObject", handler: putObject, method: "PUT", level: "object" },
  {
    name: "CreateMultipartUpload",
    handler: createMultipartUpload,
    method: "POST",
    level: "object",
    requires: { uploads: "" },
  },
  {
    name: "CompleteMultipartUpload",
    handler: completeMultipartUpload,
    method: "POST",
    level: "object",
    requires: upload,
  },
  { name: "AbortMultipartUpload", handler: abortMultipartUpload, method: "DELETE", level: "object", requires: upload },
  {
    name: "ListParts",
    handler: listParts,
    method: "GET",
    level: "object",
    requires: upload,
    allows: ["max-parts", "part-number-marker"],
  },
  { name: "DeleteObject", handler: deleteObject, method: "DELETE", level: "object", allows: ["versionId"] },
  { name: "GetObject", handler: getObject, method: "GET", level: "object", allows: reading },
  { name: "HeadObject", handler: headObject, method: "HEAD", level: "object", allows: reading },
];

/** Which operation a request is; undefined for all that this server does not implement. */
export function findOperation(method: string, target: RequestTarget, headers: Headers): S3Operation | undefined {
  const level = target.key !== "" ? "object" : target.bucket !== "" ? "bucket" : "service";
  return operations.find(
    (operation) =>
      operation.method === method &&
      operation.level === level &&
      (operation.copies ?? false) === "x-amz-copy-source" in headers &&
      Object.entries(operation.requires ?? {}).every(
        ([name, value]) => target.query.has(name) && (value === undefined || target.query.get(name) === value),
      ) &&
      [...target.query].every(([name, value]) => isUnderstood(operation, name, value)),
  );
}

/** A parameter that nobody acts on would turn one operation into another: `?acl` is not a plain GET. */
function isUnderstood({ requires = {}, allows = [] }: S3Operation, name: string, value: string): boolean {
  if (name === "x-id" || /^x-amz-/i.test(name)) return true;
  if (name === "versionId" && value !== "null") return false;
  return name in requires || allows.includes(name);
}
