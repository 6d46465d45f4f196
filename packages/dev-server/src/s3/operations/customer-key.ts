import { createHash } from "node:crypto";
import type { Headers } from "../../http/request-target.js";
import { S3Error } from "../s3-error.js";

const encryption = "server-side-encryption-customer-";
const kept = { algorithm: `x-amz-${encryption}algorithm`, md5: `x-amz-${encryption}key-md5` };

/**
 * The key that a request brings for SSE-C, as what may be kept of it: its algorithm and its MD5. This server does not encrypt
 * with it; it gives out the object to those who have it.
 */
export function customerKeyOf(headers: Headers, prefix: "x-amz-" | "x-amz-copy-source-" = "x-amz-"): Headers {
  const [algorithm, key, md5] = ["algorithm", "key", "key-md5"].map((name) => headers[prefix + encryption + name]);
  if (algorithm === undefined && key === undefined && md5 === undefined) return {};
  if (algorithm === undefined || key === undefined || md5 === undefined)
    throw new S3Error(
      "InvalidArgument",
      "Requests specifying Server Side Encryption with Customer provided keys must provide an encryption algorithm, a key and its MD5.",
    );
  if (algorithm !== "AES256")
    throw new S3Error(
      "InvalidEncryptionAlgorithmError",
      "The Encryption request you specified is not valid. Supported value: AES256.",
    );
  const bytes = Buffer.from(key, "base64");
  if (bytes.length !== 32)
    throw new S3Error("InvalidArgument", "The secret key was invalid for the specified algorithm.");
  if (createHash("md5").update(bytes).digest("base64") !== md5)
    throw new S3Error(
      "InvalidArgument",
      "The calculated MD5 hash of the key did not match the hash that was provided.",
    );
  return { [kept.algorithm]: algorithm, [kept.md5]: md5 };
}

/** Refuses a request without the key, or with another key than that, of what is described by these headers. */
export function requireCustomerKey(
  headers: Headers,
  described: Headers,
  prefix: "x-amz-" | "x-amz-copy-source-" = "x-amz-",
): void {
  const sent = customerKeyOf(headers, prefix)[kept.md5];
  const needed = described[kept.md5];
  if (needed === undefined) {
    if (sent !== undefined)
      throw new S3Error("InvalidRequest", "The encryption parameters are not applicable to this object.");
    return;
  }
  if (sent === undefined)
    throw new S3Error(
      "InvalidRequest",
      "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
    );
  if (sent !== needed) throw new S3Error("AccessDenied", "Access Denied");
}
