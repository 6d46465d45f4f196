import { isError } from "@s3ec/materials";

/** The HTTP status that S3, or another service of AWS, answered a request with; undefined where there was no answer. */
export function httpStatusOf(error: unknown): number | undefined {
  const metadata: unknown = isError(error) ? Reflect.get(error, "$metadata") : undefined;
  const status: unknown =
    typeof metadata === "object" && metadata !== null ? Reflect.get(metadata, "httpStatusCode") : undefined;
  return typeof status === "number" ? status : undefined;
}

/** Whether S3 said that there is no such object. */
export function isMissing(error: unknown): boolean {
  return isError(error) && (error.name === "NoSuchKey" || error.name === "NotFound");
}
