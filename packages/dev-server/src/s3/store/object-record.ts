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
export interface StoredPart {
  /** The name of a file among the bucket's data files. */
  readonly file: string;
  readonly size: number;
  /** base64, of the algorithm of the object's checksum. */
  readonly checksum?: string;
}

/** Everything that is known about an object; kept as JSON beside its files. */
export interface ObjectRecord {
  readonly key: string;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  /** Milliseconds since 1970, in whole seconds, which is all that HTTP dates can say. */
  readonly modified: number;
  /** Content-Type and the like, as they are returned. */
  readonly headers: Headers;
  /** Names without `x-amz-meta-`, in lower case; values hold one character per byte that was sent. */
  readonly metadata: Headers;
  readonly parts: readonly StoredPart[];
  readonly isMultipart: boolean;
  readonly checksum?: StoredChecksum;
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

export function parseRecord(json: string): ObjectRecord {
  const value: unknown = JSON.parse(json);
  if (!isRecord(value)) throw new Error("A stored object record is damaged; delete the directory of this server.");
  return value;
}

/** The server's own files: enough is checked to tell them from somebody else's. */
function isRecord(value: unknown): value is ObjectRecord {
  return (
    typeof value === "object" &&
    value !== null &&
    ["key", "etag", "size", "modified", "headers", "metadata", "parts", "isMultipart"].every((name) => name in value)
  );
}
