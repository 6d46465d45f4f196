import { isError, S3EncryptionError } from "@s3ec/materials";
import { isAbort } from "../request-aborted.js";
import { httpStatusOf } from "../s3-errors.js";

/** Of the system, such as `ECONNRESET`; not of OpenSSL, which would tell how a key did not fit (S16). */
const SYSTEM_ERROR = /^E[A-Z]{3,20}$/;

/** OpenTelemetry's name for what has no other. */
const OTHER = "_OTHER";

/**
 * All that is told of an error: its code where it is ours, the status of S3's answer, or the system's name. Its message and
 * cause are for whoever catches it.
 */
export function errorTypeOf(error: unknown): string {
  if (error instanceof S3EncryptionError) return error.code;
  if (isAbort(error)) return error.name;
  const status = httpStatusOf(error);
  if (status !== undefined) return String(status);
  const code = isError(error) && "code" in error ? error.code : undefined;
  return typeof code === "string" && SYSTEM_ERROR.test(code) ? code : OTHER;
}
