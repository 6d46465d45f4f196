import { receiveText } from "../body/receive-body.js";
import { S3Error } from "../s3-error.js";
import { type S3Handler, sendEmpty, sendXml } from "../s3-exchange.js";
import type { ObjectAttributes, Tag } from "../store/object-record.js";
import { childText, element, leaf, malformed, parseXml, xmlDocument } from "../xml.js";
import { versionHeaders } from "./object-headers.js";

const mostTags = 10;
const longestKey = 128;
const longestValue = 256;

export const getObjectTagging: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const record = bucket.get(exchange.key, exchange.query.get("versionId"));
  const tags = (record.tags ?? []).map(({ key, value }) => element("Tag", leaf("Key", key), leaf("Value", value)));
  await sendXml(exchange, xmlDocument("Tagging", element("TagSet", ...tags)), versionHeaders(bucket, record));
};

export const putObjectTagging: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const root = parseXml(await receiveText(exchange, 1 << 20, true), "Tagging");
  const set = root.children.find(({ name }) => name === "TagSet");
  if (set === undefined) throw malformed();
  const tags = set.children.map((tag) => ({ key: childText(tag, "Key") ?? "", value: childText(tag, "Value") ?? "" }));
  requireTags(tags);
  const record = await bucket.change(exchange.key, exchange.query.get("versionId"), () => ({ tags }));
  await sendEmpty(exchange, 200, versionHeaders(bucket, record));
};

export const deleteObjectTagging: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const record = await bucket.change(exchange.key, exchange.query.get("versionId"), () => ({ tags: [] }));
  await sendEmpty(exchange, 204, versionHeaders(bucket, record));
};

/** The tags of an `x-amz-tagging` header, which is written like the query of a URL. */
export function tagsOfHeader(header: string | undefined): Pick<ObjectAttributes, "tags"> {
  if (!header) return {};
  const tags = [...new URLSearchParams(header)].map(([key, value]) => ({ key, value }));
  requireTags(tags);
  return { tags };
}

function requireTags(tags: readonly Tag[]): void {
  if (tags.length > mostTags) throw new S3Error("BadRequest", `Object tags cannot be greater than ${mostTags}`);
  if (new Set(tags.map(({ key }) => key)).size < tags.length)
    throw new S3Error("InvalidTag", "Cannot provide multiple Tags with the same key");
  for (const { key, value } of tags) {
    requireTagText("TagKey", key, longestKey);
    requireTagText("TagValue", value, longestValue);
    if (key === "") throw new S3Error("InvalidTag", "The TagKey you have provided is invalid", { TagKey: key });
    if (key.toLowerCase().startsWith("aws:"))
      throw new S3Error("InvalidTag", "System tags cannot be added/updated by requester", { TagKey: key });
  }
}

function requireTagText(what: "TagKey" | "TagValue", text: string, longest: number): void {
  if (text.length > longest || !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text))
    throw new S3Error("InvalidTag", `The ${what} you have provided is invalid`, { [what]: text });
}
