import type { ObjectToSend, Part } from "./parts-to-send.js";

/** How far an upload is, in bytes of the caller's body. */
export interface UploadProgress {
  /** Bytes of the body that S3 has. */
  readonly loaded?: number;
  /** Absent while it is not known. */
  readonly total?: number;
  /** Number of the part that has just been stored, from 1 on. */
  readonly part?: number;
  /** Of the object, as the upload's `params` name it. */
  readonly Key?: string;
  /** Of the object, as the upload's `params` name it. */
  readonly Bucket?: string;
}

/** What stands for no plaintext is counted as if it came last, where the S3 formats have it. */
export function progressOf(object: ObjectToSend, { number: part }: Part, stored: number): UploadProgress {
  const { Bucket = "", Key = "" } = object.input;
  if (object.length === undefined) return { loaded: stored, part, Key, Bucket };
  const total = object.length - object.overhead;
  return { loaded: Math.min(stored, total), total, part, Key, Bucket };
}
