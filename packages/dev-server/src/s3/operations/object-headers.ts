import type { Headers } from "../../http/request-target.js";
import { checksumHeader, type StoredChecksum } from "../body/checksums.js";
import { S3Error } from "../s3-error.js";
import type { Bucket } from "../store/bucket.js";
import type { ObjectRecord } from "../store/object-record.js";
import { customerKeyOf } from "./customer-key.js";
import { lockHeaders } from "./object-lock.js";

const metadataPrefix = "x-amz-meta-";
const metadataLimit = 2048;
const storageClasses =
  /^(?:STANDARD|REDUCED_REDUNDANCY|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|GLACIER|DEEP_ARCHIVE|GLACIER_IR)$/;
const contentNames = ["cache-control", "content-disposition", "content-language", "expires"];
const placementNames = [
  "x-amz-storage-class",
  "x-amz-website-redirect-location",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-context",
  "x-amz-server-side-encryption-bucket-key-enabled",
];
// Obeying the rest of a request and ignoring these would answer "stored" to something that was not done.
const notImplemented = /^x-amz-(?:write-offset-bytes|object-ownership)/;

/** The headers of a write that are returned with the object. Refuses those that ask for what this server cannot do. */
export function systemHeaders(headers: Headers): Headers {
  return { ...contentHeaders(headers), ...placementHeaders(headers) };
}

/** What a write says about its content; a copy takes it from its source or, when told to replace, from the request. */
export function contentHeaders(headers: Headers): Headers {
  const result: Record<string, string> = { "content-type": headers["content-type"] ?? "binary/octet-stream" };
  for (const name of contentNames) if (headers[name] !== undefined) result[name] = headers[name];
  const encoding = (headers["content-encoding"] ?? "").split(",").map((word) => word.trim());
  const stored = encoding.filter((word) => word !== "" && word !== "aws-chunked").join(",");
  if (stored !== "") result["content-encoding"] = stored;
  return result;
}

/** What a write says about how the object is kept; a copy never takes it from its source. */
export function placementHeaders(headers: Headers): Headers {
  const refused = Object.keys(headers).find((name) => notImplemented.test(name));
  if (refused !== undefined)
    throw new S3Error(
      "NotImplemented",
      `A header you provided implies functionality that is not implemented: ${refused}`,
    );
  const result: Record<string, string> = {};
  for (const name of placementNames) if (headers[name] !== undefined) result[name] = headers[name];
  requireEncryption(result["x-amz-server-side-encryption"]);
  Object.assign(result, customerKeyOf(headers));
  requireStorageClass(result["x-amz-storage-class"]);
  if (result["x-amz-storage-class"] === "STANDARD") delete result["x-amz-storage-class"];
  return result;
}

/**
 * The `x-amz-meta-` headers of a write.
 * @throws S3Error `MetadataTooLarge` above 2 KB
 */
export function userMetadata(headers: Headers): Headers {
  const metadata = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    name.startsWith(metadataPrefix) ? [[name.slice(metadataPrefix.length), value]] : [],
  );
  const size = metadata.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (size > metadataLimit)
    throw new S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", {
      Size: String(size),
      MaxSizeAllowed: String(metadataLimit),
    });
  // Also of a name such as __proto__, which cannot be assigned.
  return Object.fromEntries(metadata);
}

/** Those that say how an object is encrypted, which answers to writes repeat. */
export function serverSideEncryptionOf(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith("x-amz-server-side-encryption")),
  );
}

function requireEncryption(name: string | undefined): void {
  if (name !== undefined && !/^(?:AES256|aws:kms|aws:kms:dsse)$/.test(name))
    throw new S3Error("InvalidEncryptionAlgorithmError", "The encryption method specified is not supported");
}

function requireStorageClass(name: string | undefined): void {
  if (name !== undefined && !storageClasses.test(name))
    throw new S3Error("InvalidStorageClass", "The storage class you specified is not valid", {
      StorageClassRequested: name,
    });
}

/** The version of an object, where its bucket keeps versions or once did. */
export function versionHeaders(bucket: Bucket, { versionId }: { readonly versionId: string }): Headers {
  return bucket.settings.versioning === undefined ? {} : { "x-amz-version-id": versionId };
}

/** The version of the object that an annotation is beside, in a header of another name. */
export function annotationVersion(bucket: Bucket, { versionId }: { readonly versionId: string }): Headers {
  return bucket.settings.versioning === undefined ? {} : { "x-amz-object-version-id": versionId };
}

/** The checksum of an object or part, as headers. */
export function checksumHeaders(checksum: StoredChecksum | undefined): Headers {
  if (checksum === undefined) return {};
  return { [checksumHeader(checksum.name)]: checksum.value, "x-amz-checksum-type": checksum.type };
}

/** The headers with which a GET or HEAD describes an object. */
export function describingHeaders(record: ObjectRecord): Headers {
  const headers: Record<string, string> = {
    ...record.headers,
    etag: `"${record.etag}"`,
    "last-modified": new Date(record.modified).toUTCString(),
    "accept-ranges": "bytes",
    ...lockHeaders(record),
    ...(record.tags?.length && { "x-amz-tagging-count": String(record.tags.length) }),
  };
  // Of a KMS context only the answer to the write tells.
  delete headers["x-amz-server-side-encryption-context"];
  for (const [name, value] of Object.entries(record.metadata)) headers[metadataPrefix + name] = encodeWords(value);
  return headers;
}

/**
 * RFC 2047, the way S3 does it to values that are not ASCII: each *byte* that was sent is taken for a character, so that
 * a client's UTF-8 comes back encoded twice. Words are "Q" when most characters are ASCII and "B" otherwise.
 */
function encodeWords(value: string): string {
  const other = value.replace(/\p{ASCII}/gu, "").length;
  if (other === 0) return value;
  const isQ = value.length - other > other;
  const encode = (text: string): string =>
    isQ ? Buffer.from(text).reduce((word, byte) => word + quoted(byte), "") : Buffer.from(text).toString("base64");
  const words: string[] = [];
  let text = "";
  for (const character of value) {
    // A word has at most 75 characters, and does not end inside an encoded character.
    if (text !== "" && encode(text + character).length > 75 - "=?UTF-8?Q??=".length) {
      words.push(text);
      text = "";
    }
    text += character;
  }
  return [...words, text].map((word) => `=?UTF-8?${isQ ? "Q" : "B"}?${encode(word)}?=`).join(" ");
}

function quoted(byte: number): string {
  const character = String.fromCharCode(byte);
  if (/[A-Za-z0-9!*+/-]/.test(character)) return character;
  return character === " " ? "_" : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
