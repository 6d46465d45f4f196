import { STATUS_CODES } from "node:http";
import { quoted } from "@s3ec/envelope";
import { sentence } from "./sentence.js";

/** What the AWS SDK throws for what a service answered. */
export interface ServiceError extends Error {
  readonly $metadata: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "$metadata" in error && typeof error.$metadata === "object";
}

/** What S3 answered, in a sentence that says what to do where that is known. */
export function serviceMessage(error: ServiceError): string {
  const { name, message, $metadata, $response } = error;
  const status = $metadata.httpStatusCode ?? 0;
  const region = $response?.headers?.["x-amz-bucket-region"];
  switch (name) {
    case "NoSuchKey":
    case "NotFound":
      return "There is no such object.";
    case "NoSuchBucket":
      return "There is no such bucket.";
    case "AccessDenied":
      return `S3 refused (AccessDenied): these credentials lack a permission for this bucket or object (${sentence(message)})`;
    case "InvalidAccessKeyId":
      return "S3 does not know the access key id (InvalidAccessKeyId): check the credentials, and that they are of this S3.";
    case "SignatureDoesNotMatch":
      return "The secret access key is not that of the access key id (SignatureDoesNotMatch).";
    case "ExpiredToken":
      return "The credentials have expired (ExpiredToken): get new ones.";
    case "PermanentRedirect":
    case "TemporaryRedirect":
    case "AuthorizationHeaderMalformed":
    case "IllegalLocationConstraintException":
      return otherRegion(name, region, message);
  }
  if (status === 301 || status === 307 || (status === 400 && region !== undefined)) {
    return otherRegion(String(status), region, message);
  }
  const text = status === 0 ? "" : `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  if (/^(?:Unknown|UnknownError|\d+)$/.test(name)) {
    const reason = status === 403 ? "missing permission, wrong access key id or wrong region" : "it gave no reason";
    return `S3 answered ${text || "nothing that can be read"}: ${reason}.`;
  }
  return `S3 answered ${quotedName(name)}${text === "" ? "" : ` (${text})`}: ${sentence(message)}`;
}

/** A code that S3 made up is shown as such. */
function quotedName(name: string): string {
  return /^\w{1,80}$/.test(name) ? name : quoted(name);
}

function otherRegion(answer: string, region: string | undefined, message: string): string {
  const named = region ?? /expecting '([\w-]+)'/.exec(message)?.[1];
  const where = named === undefined ? "in another region" : `in the region ${sentence(named).slice(0, -1)}`;
  return `The bucket is ${where} (${answer}): set AWS_REGION, or s3.region in the configuration.`;
}
