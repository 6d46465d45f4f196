import { receiveText } from "../body/receive-body.js";
import { S3Error } from "../s3-error.js";
import { type S3Handler, sendEmpty, sendXml } from "../s3-exchange.js";
import { childText, element, leaf, parseXml, xmlDocument } from "../xml.js";
import { ownerId } from "./acl.js";

export const listBuckets: S3Handler = async ({ store }, exchange) => {
  const buckets = store.buckets.map(({ name, created }) =>
    element("Bucket", leaf("Name", name), leaf("CreationDate", created.toISOString())),
  );
  const owner = element("Owner", leaf("ID", ownerId));
  await sendXml(exchange, xmlDocument("ListAllMyBucketsResult", owner, element("Buckets", ...buckets)));
};

export const createBucket: S3Handler = async ({ store, region }, exchange) => {
  if (exchange.headers["content-length"] !== undefined && exchange.headers["content-length"] !== "0") {
    const configuration = parseXml(await receiveText(exchange, 1 << 16), "CreateBucketConfiguration");
    const constraint = childText(configuration, "LocationConstraint");
    if (constraint !== undefined && constraint !== region)
      throw new S3Error(
        "IllegalLocationConstraintException",
        `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
      );
  }
  const bucket = store.createBucket(exchange.bucket);
  if (exchange.headers["x-amz-bucket-object-lock-enabled"]?.toLowerCase() === "true")
    bucket.settings = { versioning: "Enabled", objectLock: {} };
  await sendEmpty(exchange, 200, { location: `/${exchange.bucket}` });
};

export const headBucket: S3Handler = async ({ store, region }, exchange) => {
  const { bucket } = exchange;
  store.bucket(bucket);
  await sendEmpty(exchange, 200, { "x-amz-bucket-region": region });
};

export const deleteBucket: S3Handler = async ({ store, uploads }, exchange) => {
  const { bucket } = exchange;
  uploads.endAll(store.deleteBucket(bucket));
  await sendEmpty(exchange, 204);
};
