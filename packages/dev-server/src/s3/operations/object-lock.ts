import type { Headers } from "../../http/request-target.js";
import { receiveText } from "../body/receive-body.js";
import { S3Error } from "../s3-error.js";
import { type S3Handler, sendEmpty, sendXml } from "../s3-exchange.js";
import type { Bucket, BucketSettings } from "../store/bucket.js";
import type { ObjectAttributes, ObjectRecord, Retention, Version } from "../store/object-record.js";
import { isDeleteMarker } from "../store/versions.js";
import { childText, element, leaf, malformed, parseXml, type XmlElement, xmlDocument } from "../xml.js";

const modeHeader = "x-amz-object-lock-mode";
const untilHeader = "x-amz-object-lock-retain-until-date";
const holdHeader = "x-amz-object-lock-legal-hold";
const dayMs = 24 * 3600 * 1000;

export const getObjectRetention: S3Handler = async ({ store }, exchange) => {
  const bucket = lockableBucket(store.bucket(exchange.bucket));
  const { retention } = bucket.get(exchange.key, exchange.query.get("versionId"));
  if (retention === undefined) throw notLocked();
  await sendXml(
    exchange,
    xmlDocument("Retention", leaf("Mode", retention.mode), leaf("RetainUntilDate", isoOf(retention.until))),
  );
};

export const putObjectRetention: S3Handler = async ({ store }, exchange) => {
  const bucket = lockableBucket(store.bucket(exchange.bucket));
  const root = parseXml(await receiveText(exchange, 1 << 16, true), "Retention");
  const [mode, until] = [childText(root, "Mode"), childText(root, "RetainUntilDate")];
  if ((mode === undefined) !== (until === undefined)) throw malformed();
  const retention = mode === undefined ? undefined : retentionOf(mode, until);
  await bucket.change(exchange.key, exchange.query.get("versionId"), (record) => {
    requireChangeable(record, retention, exchange.headers);
    return { retention };
  });
  await sendEmpty(exchange, 200);
};

export const getObjectLegalHold: S3Handler = async ({ store }, exchange) => {
  const bucket = lockableBucket(store.bucket(exchange.bucket));
  const { legalHold } = bucket.get(exchange.key, exchange.query.get("versionId"));
  if (legalHold === undefined) throw notLocked();
  await sendXml(exchange, xmlDocument("LegalHold", leaf("Status", legalHold)));
};

export const putObjectLegalHold: S3Handler = async ({ store }, exchange) => {
  const bucket = lockableBucket(store.bucket(exchange.bucket));
  const root = parseXml(await receiveText(exchange, 1 << 16, true), "LegalHold");
  const status = childText(root, "Status");
  if (status !== "ON" && status !== "OFF") throw malformed();
  await bucket.change(exchange.key, exchange.query.get("versionId"), () => ({ legalHold: status }));
  await sendEmpty(exchange, 200);
};

export const getObjectLockConfiguration: S3Handler = async ({ store }, exchange) => {
  const { objectLock } = store.bucket(exchange.bucket).settings;
  if (objectLock === undefined)
    throw new S3Error(
      "ObjectLockConfigurationNotFoundError",
      "Object Lock configuration does not exist for this bucket",
    );
  const { mode, days, years } = objectLock;
  const retention = element("DefaultRetention", leaf("Mode", mode), leaf("Days", days), leaf("Years", years));
  await sendXml(
    exchange,
    xmlDocument(
      "ObjectLockConfiguration",
      leaf("ObjectLockEnabled", "Enabled"),
      mode === undefined ? "" : element("Rule", retention),
    ),
  );
};

export const putObjectLockConfiguration: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const root = parseXml(await receiveText(exchange, 1 << 16, true), "ObjectLockConfiguration");
  if (childText(root, "ObjectLockEnabled") !== "Enabled") throw malformed();
  if (bucket.settings.versioning !== "Enabled")
    throw new S3Error(
      "InvalidBucketState",
      "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
    );
  bucket.settings = { ...bucket.settings, objectLock: defaultRetention(root) };
  await sendEmpty(exchange, 200);
};

/** What the headers of a write, or else the bucket, say about locking the object. */
export function lockOfHeaders(headers: Headers, { settings }: Bucket): ObjectAttributes {
  const { [modeHeader]: mode, [untilHeader]: until, [holdHeader]: hold } = headers;
  const { objectLock } = settings;
  if (objectLock === undefined) {
    if (mode !== undefined || until !== undefined || hold !== undefined)
      throw new S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration");
    return {};
  }
  if ((mode === undefined) !== (until === undefined))
    throw new S3Error("InvalidArgument", `${untilHeader} and ${modeHeader} must both be supplied`);
  if (hold !== undefined && hold !== "ON" && hold !== "OFF")
    throw new S3Error("InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'");
  const retention = mode === undefined ? retentionByDefault(objectLock) : retentionOf(mode, until);
  return { ...(retention && { retention }), ...(hold && { legalHold: hold }) };
}

/** The headers with which a GET or HEAD tells how the object is locked. */
export function lockHeaders({ retention, legalHold }: ObjectRecord): Headers {
  return {
    ...(retention && { [modeHeader]: retention.mode, [untilHeader]: isoOf(retention.until) }),
    ...(legalHold && { [holdHeader]: legalHold }),
  };
}

/** Refuses to delete a version, or something of it, that is locked. */
export function requireUnlocked(version: Version | undefined, bypasses: boolean): void {
  if (version === undefined || isDeleteMarker(version)) return;
  const { retention, legalHold } = version;
  const isRetained = retention !== undefined && retention.until > Date.now();
  if (legalHold === "ON" || (isRetained && !(bypasses && retention.mode === "GOVERNANCE")))
    throw new S3Error("AccessDenied", "Access Denied because object protected by object lock.");
}

/** Whether the request is one of somebody who may pass by a retention of mode GOVERNANCE. */
export function bypassesGovernance(headers: Headers): boolean {
  return headers["x-amz-bypass-governance-retention"]?.toLowerCase() === "true";
}

/** A retention can be made longer; to make it shorter or to remove it is to pass it by. */
function requireChangeable(record: ObjectRecord, wanted: Retention | undefined, headers: Headers): void {
  const { retention: current } = record;
  if (current === undefined || current.until <= Date.now()) return;
  const isStronger = wanted !== undefined && wanted.until >= current.until && wanted.mode === current.mode;
  if (!isStronger && !(current.mode === "GOVERNANCE" && bypassesGovernance(headers)))
    throw new S3Error("AccessDenied", "Access Denied because object protected by object lock.");
}

function lockableBucket(bucket: Bucket): Bucket {
  if (bucket.settings.objectLock === undefined)
    throw new S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration");
  return bucket;
}

function retentionOf(mode: string, date: string | undefined): Retention {
  const until = Date.parse(date ?? "");
  if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE")
    throw new S3Error("InvalidArgument", "Unknown wormMode directive.");
  if (!(until > Date.now())) throw new S3Error("InvalidArgument", "The retain until date must be in the future!");
  return { mode, until };
}

function retentionByDefault({
  mode,
  days,
  years = 0,
}: NonNullable<BucketSettings["objectLock"]>): Retention | undefined {
  return mode && { mode, until: Date.now() + (days ?? years * 365) * dayMs };
}

function defaultRetention(root: XmlElement): NonNullable<BucketSettings["objectLock"]> {
  const rule = root.children.find(({ name }) => name === "Rule");
  const retention = rule?.children.find(({ name }) => name === "DefaultRetention");
  if (rule === undefined) return {};
  const [mode, days, years] = ["Mode", "Days", "Years"].map((name) => retention && childText(retention, name));
  if ((mode !== "GOVERNANCE" && mode !== "COMPLIANCE") || (days === undefined) === (years === undefined))
    throw malformed();
  if (!/^[1-9]\d{0,4}$/.test(days ?? years ?? "")) throw malformed();
  return days === undefined ? { mode, years: Number(years) } : { mode, days: Number(days) };
}

function isoOf(time: number): string {
  return new Date(time).toISOString();
}

function notLocked(): S3Error {
  return new S3Error("NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration");
}
