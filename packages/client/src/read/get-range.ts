import type { GetObjectCommandInput } from "@aws-sdk/client-s3";
import type { ByteRange } from "@s3ec/envelope";
import { type ObjectFormat, type OpenedRange, S3EncryptionError } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import { destroyStream, outputBodyLike } from "../streams.js";
import { watchedPlaintext } from "../telemetry/watched-plaintext.js";
import { answeredBody } from "./answered-body.js";
import { AnsweredObject, type Asking, type Result } from "./answered-object.js";
import { askAgain } from "./ask-again.js";
import { readHead } from "./object-head.js";
import { openStored } from "./open-stored.js";
import { formatsOf, recognisedByMetadata, recognisedBySibling } from "./recognise.js";
import { rangeNotSatisfiable, servedRange } from "./served-range.js";
import type { CiphertextBody } from "./whole-content.js";

/**
 * Reads a range of an object: in one request, wide enough for whatever the object turns out to be, where there is one
 * format and it says how wide that is; otherwise the object's head, then just what the range takes, both from one version of it.
 */
export async function getRange(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  range: ByteRange,
  asking: Asking,
): Promise<Result> {
  const formats = formatsOf(options, call);
  const [first, ...others] = formats;
  // How wide is wide enough, and whether a range may be read at all, a format says of its own objects only.
  return first?.rangeToFetch !== undefined && first.readHead === undefined && others.length === 0
    ? await inOneRequest(options, call, input, { range, formats, Range: first.rangeToFetch(range) }, asking)
    : await behindHead(options, call, input, { range, formats }, asking);
}

interface WantedRange {
  readonly range: ByteRange;
  readonly formats: readonly ObjectFormat[];
}

async function inOneRequest(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  { range, formats, Range }: WantedRange & { readonly Range: string },
  asking: Asking,
): Promise<Result> {
  const asked = { ...input, Range };
  const answered = new AnsweredObject(await asking.next(asked), asked, asking, call);
  try {
    const { output } = answered;
    const { first, last, total } = servedRange(output);
    const format = recognisedByMetadata(formats, output) ?? recognisedBySibling(formats, output);
    const beside = answered.beside(input);
    const opened = await openStored(options, call, { input, output, format, head: undefined, beside, partial: true });
    const wanted = opened.range(range, total);
    if (wanted === undefined) throw rangeNotSatisfiable(output.$metadata);
    if (wanted.fetchFirst < first || wanted.fetchLast > last) {
      throw new S3EncryptionError("content-mismatch", "S3 answered with less than the range that was asked for.");
    }
    const { chunks, ...body } = await answered.content();
    const needed = slice(chunks, wanted.fetchFirst - first, wanted.fetchLast - wanted.fetchFirst + 1);
    return await decrypted(options, answered.result, wanted, { ...body, chunks: needed });
  } catch (error) {
    answered.destroy();
    throw error;
  }
}

async function behindHead(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  { range, formats }: WantedRange,
  asking: Asking,
): Promise<Result> {
  const { format, head, total, output } = await readHead(formats, input, asking.next);
  const beside = asking.beside(input, () => {});
  const opened = await openStored(options, call, { input, output, format, head, beside, partial: true });
  const wanted = opened.range(range, total);
  if (wanted === undefined) throw rangeNotSatisfiable(output.$metadata);
  const { fetchFirst, fetchLast } = wanted;
  const asked = { ...input, Range: `bytes=${fetchFirst}-${fetchLast}` };
  const result = await askAgain(asking.next, asked, output, `bytes ${fetchFirst}-${fetchLast}/${total}`);
  const chunks = answeredBody(result.output);
  return await decrypted(options, result, wanted, { chunks, destroy: () => destroyStream(chunks), giveOut: () => {} });
}

async function decrypted(
  { telemetry }: ResolvedOptions,
  result: Result,
  wanted: OpenedRange,
  body: CiphertextBody,
): Promise<Result> {
  const { first, last, total, endsEarlier } = wanted;
  const plaintext = watchedPlaintext(telemetry, { chunks: wanted.decrypt(body.chunks), destroy: body.destroy });
  const Range = {
    Body: await outputBodyLike(result.output.Body, plaintext),
    ContentLength: endsEarlier ? undefined : last - first + 1,
    ContentRange: `bytes ${first}-${last}/${total ?? "*"}`,
  };
  return { ...result, output: { ...result.output, ...Range } };
}

async function* slice(chunks: AsyncIterable<Uint8Array>, skip: number, take: number): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, skip - offset), Math.max(0, skip + take - offset));
    offset += chunk.length;
    if (part.length > 0) yield part;
    if (offset >= skip + take) return;
  }
}
