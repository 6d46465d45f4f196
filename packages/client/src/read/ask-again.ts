import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { answeredBody } from "./answered-body.js";
import { assertWhole, notWhatWasAsked } from "./served-range.js";

/**
 * Asks for more, or once more, of an object that was answered already. The answer is of the same content and exactly what
 * was asked for, or it is refused with `content-mismatch`: never the content of another version.
 *
 * @param first what the content was answered with before
 * @param contentRange the `Content-Range` that the answer must have; undefined where all is asked for
 */
export async function askAgain<Result extends { readonly output: GetObjectCommandOutput }>(
  send: (input: GetObjectCommandInput) => Promise<Result>,
  input: GetObjectCommandInput,
  first: GetObjectCommandOutput,
  contentRange: string | undefined,
): Promise<Result> {
  const result = await send(pinnedTo(input, first)).catch((error: unknown) => {
    throw saysOtherContent(error) ? replaced(error) : error;
  });
  const { output } = result;
  const body = answeredBody(output);
  try {
    if (strongTag(output) !== strongTag(first)) throw replaced();
    if (contentRange === undefined) assertSameLength(output, first);
    else if (output.ContentRange !== contentRange || output.$metadata?.httpStatusCode === 200) throw notWhatWasAsked();
  } catch (error) {
    body.destroy();
    throw error;
  }
  return result;
}

/**
 * By its tag: naming the version would take a permission that a caller who named none need not have
 * (`s3:GetObjectVersion`). A weak tag, as a proxy that compresses makes of S3's, never matches a condition (RFC 9110
 * 13.1.1): there, that the answers' tags are the same has to do.
 */
export function pinnedTo(input: GetObjectCommandInput, { ETag }: GetObjectCommandOutput): GetObjectCommandInput {
  // What the caller asked of the object was answered already; of the same content it cannot change.
  const { IfMatch, IfModifiedSince, IfNoneMatch, IfUnmodifiedSince, ...rest } = input;
  return { ...rest, ...(ETag === undefined || ETag.startsWith(WEAK) ? {} : { IfMatch: ETag }) };
}

const WEAK = "W/";

/** Of two answers to one client, a proxy may have made just one weak. */
function strongTag({ ETag }: GetObjectCommandOutput): string | undefined {
  return ETag?.startsWith(WEAK) === true ? ETag.slice(WEAK.length) : ETag;
}

/** A range that was there is past the end of what is there now. */
function saysOtherContent(error: unknown): boolean {
  return isError(error) && (error.name === "PreconditionFailed" || error.name === "InvalidRange");
}

function assertSameLength(output: GetObjectCommandOutput, first: GetObjectCommandOutput): void {
  assertWhole(output);
  const [now, before] = [output.ContentLength, first.ContentLength];
  if (now !== undefined && before !== undefined && now !== before) throw replaced();
}

function replaced(cause?: unknown): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    "The object was replaced while it was being read; read it again.",
    cause === undefined ? undefined : { cause },
  );
}
