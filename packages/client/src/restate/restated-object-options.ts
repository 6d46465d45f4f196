import type { GetObjectCommandInput } from "@aws-sdk/client-s3";
import type { OptionNames } from "@s3ec/materials";
import type { KeepOptions } from "./kept-object.js";
import type { WritingOptions } from "./planned-envelope.js";

/** Which stored object is written again, or its wrapped keys, and how it is read. */
export interface RestatedObjectOptions extends KeepOptions, WritingOptions {
  /** Its bucket. */
  readonly Bucket: string;
  /** Its key. */
  readonly Key: string;
  /** As to read the object. */
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /** As to read the object. */
  readonly materialDescription?: Readonly<Record<string, string>>;
  /** As of a `GetObjectCommand`, sent with every request. */
  readonly ExpectedBucketOwner?: GetObjectCommandInput["ExpectedBucketOwner"];
  /** As of a `GetObjectCommand`, sent with every request. */
  readonly RequestPayer?: GetObjectCommandInput["RequestPayer"];
  /** Of an object under a key of the customer's (SSE-C), as of a `GetObjectCommand`. */
  readonly SSECustomerAlgorithm?: GetObjectCommandInput["SSECustomerAlgorithm"];
  /** Of an object under a key of the customer's (SSE-C), as of a `GetObjectCommand`. */
  readonly SSECustomerKey?: GetObjectCommandInput["SSECustomerKey"];
  /** Of an object under a key of the customer's (SSE-C), as of a `GetObjectCommand`. */
  readonly SSECustomerKeyMD5?: GetObjectCommandInput["SSECustomerKeyMD5"];
}

export const RESTATED_OBJECT: OptionNames<RestatedObjectOptions> = {
  Bucket: true,
  Key: true,
  encryptionContext: true,
  materialDescription: true,
  ExpectedBucketOwner: true,
  RequestPayer: true,
  SSECustomerAlgorithm: true,
  SSECustomerKey: true,
  SSECustomerKeyMD5: true,
  allowLoss: true,
  SSEKMSEncryptionContext: true,
  settleTime: true,
  checksTarget: true,
  copyLimit: true,
  abortSignal: true,
  beforeWrite: true,
  dryRun: true,
};
