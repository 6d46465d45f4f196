import type { Headers } from "../../http/request-target.js";
import type { ObjectAttributes } from "../store/object-record.js";
import { tagsOfHeader } from "./tagging.js";

/** What the headers of a write say about the object besides its content; they are kept apart since they can be changed. */
export function attributesOfHeaders(headers: Headers): ObjectAttributes {
  return tagsOfHeader(headers["x-amz-tagging"]);
}
