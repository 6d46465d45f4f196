import type { Headers } from "../../http/request-target.js";
import { receiveText } from "../body/receive-body.js";
import { S3Error } from "../s3-error.js";
import { type S3Handler, sendEmpty, sendXml } from "../s3-exchange.js";
import type { Grant, ObjectAttributes } from "../store/object-record.js";
import { childText, element, leaf, malformed, parseXml, type XmlElement, xmlDocument } from "../xml.js";
import { versionHeaders } from "./object-headers.js";

/** The one account that owns every bucket and object. */
export const ownerId = "s3ec-dev-server";

const groups = "http://acs.amazonaws.com/groups/global/";
const toOwner: Grant = { grantee: { name: "ID", value: ownerId }, permission: "FULL_CONTROL" };
const toGroup = (group: string, permission: string): Grant => ({
  grantee: { name: "URI", value: groups + group },
  permission,
});
const canned: Readonly<Record<string, readonly Grant[]>> = {
  private: [toOwner],
  "public-read": [toOwner, toGroup("AllUsers", "READ")],
  "public-read-write": [toOwner, toGroup("AllUsers", "READ"), toGroup("AllUsers", "WRITE")],
  "authenticated-read": [toOwner, toGroup("AuthenticatedUsers", "READ")],
  // There is one account, which owns buckets and objects.
  "aws-exec-read": [toOwner],
  "bucket-owner-read": [toOwner],
  "bucket-owner-full-control": [toOwner],
};
const grantHeaders: Readonly<Record<string, string>> = {
  "x-amz-grant-full-control": "FULL_CONTROL",
  "x-amz-grant-read": "READ",
  "x-amz-grant-read-acp": "READ_ACP",
  "x-amz-grant-write-acp": "WRITE_ACP",
};
const granteeTypes = { ID: "CanonicalUser", URI: "Group", EmailAddress: "AmazonCustomerByEmail" } as const;
const permissions = /^(?:FULL_CONTROL|WRITE|WRITE_ACP|READ|READ_ACP)$/;

export const getObjectAcl: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const record = bucket.get(exchange.key, exchange.query.get("versionId"));
  const grants = (record.grants ?? [toOwner]).map(({ grantee: { name, value }, permission }) =>
    element(
      "Grant",
      `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="${granteeTypes[name]}">${leaf(name, value)}</Grantee>`,
      leaf("Permission", permission),
    ),
  );
  await sendXml(
    exchange,
    xmlDocument("AccessControlPolicy", element("Owner", leaf("ID", ownerId)), element("AccessControlList", ...grants)),
    versionHeaders(bucket, record),
  );
};

export const putObjectAcl: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const body = await receiveText(exchange, 1 << 16);
  const given = grantsOfHeaders(exchange.headers).grants;
  if ((given !== undefined) === (body !== ""))
    throw new S3Error(
      given === undefined ? "MissingSecurityHeader" : "UnexpectedContent",
      "Give the access control list either by a header or as the body.",
    );
  const grants = given ?? parseXml(body, "AccessControlPolicy").children.flatMap(grantsOfList);
  const record = await bucket.change(exchange.key, exchange.query.get("versionId"), () => ({ grants }));
  await sendEmpty(exchange, 200, versionHeaders(bucket, record));
};

/** The grants of a canned list that a write names, or those that it says one by one. */
export function grantsOfHeaders(headers: Headers): Pick<ObjectAttributes, "grants"> {
  const name = headers["x-amz-acl"];
  const given = Object.entries(grantHeaders).flatMap(([header, permission]) =>
    granteesOfHeader(headers[header]).map((grantee) => ({ grantee, permission })),
  );
  if (name === undefined) return given.length === 0 ? {} : { grants: given };
  if (given.length > 0)
    throw new S3Error("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed");
  const grants = Object.hasOwn(canned, name) ? canned[name] : undefined;
  if (grants === undefined)
    throw new S3Error("InvalidArgument", "", { ArgumentName: "x-amz-acl", ArgumentValue: name });
  return { grants };
}

/** `id="ID", uri="URI"`: the quotes may be missing. */
function granteesOfHeader(text = ""): Grant["grantee"][] {
  if (text === "") return [];
  return text.split(",").map((word) => {
    const [, type = "", value = ""] = /^\s*(\w+)\s*=\s*"?([^"]*?)"?\s*$/.exec(word) ?? [];
    const name = (["ID", "URI", "EmailAddress"] as const).find((known) => known.toLowerCase() === type.toLowerCase());
    if (name === undefined || value === "") throw new S3Error("InvalidArgument", "Argument format not recognized");
    return { name, value };
  });
}

function grantsOfList({ name, children }: XmlElement): readonly Grant[] {
  return name === "AccessControlList" ? children.map(grantOf) : [];
}

function grantOf(grant: XmlElement): Grant {
  const grantee = grant.children.find(({ name }) => name === "Grantee");
  const permission = childText(grant, "Permission") ?? "";
  for (const name of ["ID", "URI", "EmailAddress"] as const) {
    const value = grantee && childText(grantee, name);
    if (value !== undefined && permissions.test(permission)) return { grantee: { name, value }, permission };
  }
  throw malformed();
}
