import type { Headers } from "../../http/request-target.js";
import type { Bucket } from "../store/bucket.js";
import type { ObjectAttributes } from "../store/object-record.js";
import { grantsOfHeaders } from "./acl.js";
import { lockOfHeaders } from "./object-lock.js";
import { tagsOfHeader } from "./tagging.js";

/** What the headers of a write say about the object besides its content; they are kept apart since they can be changed. */
export function attributesOfHeaders(headers: Headers, bucket: Bucket): ObjectAttributes {
  return {
    ...tagsOfHeader(headers["x-amz-tagging"]),
    ...lockOfHeaders(headers, bucket),
    ...grantsOfHeaders(headers),
  };
}
