import type { GetObjectCommandInput, GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { type ByteRange, parseByteRange } from "@s3ec/envelope";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { type CallOptions, callOptionsOf } from "../call-options.js";
import { withoutCiphertextChecksums } from "../ciphertext-checksums.js";
import type { ResolvedOptions } from "../options.js";
import { requestAborted } from "../request-aborted.js";
import { httpStatusOf } from "../s3-errors.js";
import { outputBodyLike } from "../streams.js";
import { AnsweredObject, Asking, type Next, type Result } from "./answered-object.js";
import { pinnedTo } from "./ask-again.js";
import { getRange } from "./get-range.js";
import { openAnswered } from "./open-answered.js";
import { RangedAnswer } from "./ranged-answer.js";
import { assertWhole } from "./served-range.js";
import { openWhole } from "./whole-content.js";

/**
 * Sends a `GetObjectCommand` and decrypts what comes back.
 *
 * @param client the one that sends it
 */
export async function getObject(
  options: ResolvedOptions,
  input: GetObjectCommandInput,
  next: Next,
  client: S3Client,
): Promise<Result> {
  const call = callOptionsOf(input);
  const asking = new Asking(next, client, options, call.abortSignal);
  try {
    const range = requestedRange(input);
    const result =
      range === undefined
        ? await getWhole(options, call, input, asking)
        : await getRange(options, call, input, range, asking);
    return { ...result, output: withoutCiphertextChecksums(result.output) };
  } catch (error) {
    // A body that is being read then only says that its connection was reset.
    throw call.abortSignal?.aborted === true ? requestAborted() : sayingNotModified(error);
  }
}

/** S3 answers it without a word, of which the SDK makes an UnknownError: still that error, with what it knows of the answer. */
function sayingNotModified(error: unknown): unknown {
  if (!isError(error) || error instanceof S3EncryptionError || httpStatusOf(error) !== 304) return error;
  const said = error.message;
  error.message = "The object was not modified: it is still the one that IfNoneMatch or IfModifiedSince names (304).";
  if (error.stack !== undefined) error.stack = error.stack.replace(said, error.message);
  return error;
}

function requestedRange(input: GetObjectCommandInput): ByteRange | undefined {
  if (input.PartNumber !== undefined) {
    throw new S3EncryptionError("unsupported-operation", "Parts of an encrypted object cannot be read on their own.");
  }
  return input.Range === undefined ? undefined : parseByteRange(input.Range);
}

async function getWhole(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  asking: Asking,
): Promise<Result> {
  const answered = await askForWhole(options, call, input, asking);
  try {
    const { output } = answered;
    const { opened } = await openAnswered(options, call, input, answered);
    // What nothing proves is not put together from several answers.
    if (opened.proves === "nothing" && answered instanceof RangedAnswer) {
      answered.destroy();
      return await getWhole({ ...options, parallelRanges: 1 }, call, pinnedTo(input, output), asking);
    }
    const body = await answered.content();
    const plaintext = await openWhole(options, opened, answered.output.ContentLength, body);
    const decrypted: Partial<GetObjectCommandOutput> = {
      Body: await outputBodyLike(answered.output.Body, plaintext),
    };
    return { ...answered.result, output: { ...answered.output, ...decrypted, ContentLength: plaintext.length } };
  } catch (error) {
    answered.destroy();
    throw error;
  }
}

/** In ranges, several at once, where that is asked for and nothing is given out before all of them have come. */
async function askForWhole(
  { parallelRanges, enableDelayedAuthenticationMode }: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  asking: Asking,
): Promise<AnsweredObject | RangedAnswer> {
  if (parallelRanges > 1 && !enableDelayedAuthenticationMode) {
    return await RangedAnswer.open(input, asking, call, parallelRanges);
  }
  const answered = new AnsweredObject(await asking.next(input), input, asking, call);
  try {
    assertWhole(answered.output);
    return answered;
  } catch (error) {
    answered.destroy();
    throw error;
  }
}
