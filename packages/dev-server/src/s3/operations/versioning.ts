import { receiveText } from "../body/receive-body.js";
import { S3Error } from "../s3-error.js";
import { type S3Handler, sendEmpty, sendXml } from "../s3-exchange.js";
import { childText, leaf, malformed, parseXml, xmlDocument } from "../xml.js";

export const getBucketVersioning: S3Handler = async ({ store }, exchange) => {
  const { versioning } = store.bucket(exchange.bucket).settings;
  await sendXml(exchange, xmlDocument("VersioningConfiguration", leaf("Status", versioning)));
};

export const putBucketVersioning: S3Handler = async ({ store }, exchange) => {
  const bucket = store.bucket(exchange.bucket);
  const root = parseXml(await receiveText(exchange, 1 << 16), "VersioningConfiguration");
  const status = childText(root, "Status");
  if (status !== "Enabled" && status !== "Suspended") throw malformed();
  if (childText(root, "MfaDelete") === "Enabled")
    throw new S3Error("NotImplemented", "This server does not implement MFA Delete.");
  if (status === "Suspended" && bucket.settings.objectLock !== undefined)
    throw new S3Error(
      "InvalidBucketState",
      "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
    );
  bucket.settings = { ...bucket.settings, versioning: status };
  await sendEmpty(exchange, 200);
};
