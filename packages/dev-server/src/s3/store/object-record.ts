import { join } from "node:path";
import type { Headers } from "../../http/request-target.js";
import type { StoredChecksum } from "../body/checksums.js";

/** A piece of a file that is one stretch of an object. */
export interface Segment {
  readonly path: string;
  readonly start: number;
  readonly length: number;
}

/** One file of an object: the whole of it, or what one part of a multipart upload brought. */
interface StoredPart {
  /** The name of a file among the bucket's data files. */
  readonly file: string;
  readonly size: number;
  /** base64, of the algorithm of the object's checksum. */
  readonly checksum?: string;
}

/** One tag of an object. */
export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** A named text beside an object. */
export interface Annotation {
  readonly name: string;
  /** The name of a file among the bucket's data files. */
  readonly file: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since 1970, in whole seconds. */
  readonly modified: number;
  readonly checksum?: StoredChecksum;
}

/** Until when a version may not be deleted. */
export interface Retention {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Who may do what; kept and answered, and never asked. */
export interface Grant {
  /** A canonical user's id, the URI of a group, or a mail address. */
  readonly grantee: { readonly name: "ID" | "URI" | "EmailAddress"; readonly value: string };
  readonly permission: string;
}

/** What can be said about an object without making it another one: its entity tag and time stay as they are. */
export interface ObjectAttributes {
  /** In the order in which they were given. */
  readonly tags?: readonly Tag[];
  /** In the byte order of their names in UTF-8. */
  readonly annotations?: readonly Annotation[];
  readonly retention?: Retention | undefined;
  readonly legalHold?: "ON" | "OFF" | undefined;
  /** Default: all for the owner. */
  readonly grants?: readonly Grant[];
}

/** One version of a key; `null` is the id of those that were put while versioning was not enabled. */
interface KeyVersion {
  readonly key: string;
  readonly versionId: string;
  /** Milliseconds since 1970, in whole seconds, which is all that HTTP dates can say. */
  readonly modified: number;
}

/** What stands in place of an object that was deleted while its bucket kept versions. */
export interface DeleteMarker extends KeyVersion {
  readonly isDeleteMarker: true;
}

/** Everything that is known about an object; kept as JSON beside its files. */
export interface ObjectRecord extends KeyVersion, ObjectAttributes {
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  /** Content-Type and the like, as they are returned. */
  readonly headers: Headers;
  /** Names without `x-amz-meta-`, in lower case; values hold one character per byte that was sent. */
  readonly metadata: Headers;
  readonly parts: readonly StoredPart[];
  readonly isMultipart: boolean;
  readonly checksum?: StoredChecksum;
}

/** What a key can have had: objects, and deletions. */
export type Version = ObjectRecord | DeleteMarker;

/** An object whose version is not known before it is put. */
export type NewObject = Omit<ObjectRecord, "versionId">;

/** The data files of a version. */
export function filesOf(version: NewObject | DeleteMarker): readonly { readonly file: string }[] {
  return "isDeleteMarker" in version ? [] : [...version.parts, ...(version.annotations ?? [])];
}

/** Where a stretch of the object lies in the data files, which are in `directory`. */
export function segmentsOf(record: ObjectRecord, directory: string, start: number, length: number): Segment[] {
  const segments: Segment[] = [];
  const end = start + length;
  let offset = 0;
  for (const { file, size } of record.parts) {
    const from = Math.max(start, offset);
    const to = Math.min(end, offset + size);
    if (from < to) segments.push({ path: join(directory, file), start: from - offset, length: to - from });
    offset += size;
  }
  return segments;
}

/** The versions of one key, newest first, as they are kept in one file. */
export function parseVersions(json: string): readonly Version[] {
  const value: unknown = JSON.parse(json);
  if (!Array.isArray(value) || !value.every(isVersion))
    throw new Error("A stored object record is damaged, or of an older version; delete the directory of this server.");
  return value;
}

/** The server's own files: enough is checked to tell them from somebody else's. */
function isVersion(value: unknown): value is Version {
  if (typeof value !== "object" || value === null) return false;
  const names = "isDeleteMarker" in value ? [] : ["etag", "size", "headers", "metadata", "parts", "isMultipart"];
  return ["key", "versionId", "modified", ...names].every((name) => name in value);
}
