import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { type ByteRange, readAtMost } from "@s3ec/envelope";
import type { MessageFormat, MessageHeader } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import { destroyStream, outputBody, readableOf } from "../streams.js";
import { answeredBody } from "./answered-object.js";
import { askAgain } from "./ask-again.js";
import { messageFormatFor, openMessage } from "./open-message.js";
import { notWhatWasAsked, rangeNotSatisfiable, servedRange } from "./served-range.js";

/** Bytes: a header with a few wrapped keys is shorter, and one that is not is asked for again. */
const HEADER_GUESS = 2048;

type Result = { output: GetObjectCommandOutput; response: unknown };
type Next = (input: GetObjectCommandInput) => Promise<Result>;

/**
 * Reads a range of an object that is a message: its header, then just the frames that hold the range, both from one
 * version of the object. Undefined where the object is no message.
 */
export async function getMessageRange(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  range: ByteRange,
  next: Next,
): Promise<Result | undefined> {
  const start = await readHeader(options, call, input, next);
  if (start === undefined) return undefined;
  const { format, header, total, output } = start;
  const message = await openMessage(format, options, call, header, input);
  const wanted = message.range(range, total);
  if (wanted === undefined) throw rangeNotSatisfiable(output.$metadata);
  const { fetchFirst, fetchLast, first, last } = wanted;
  const asked = { ...input, Range: `bytes=${fetchFirst}-${fetchLast}` };
  const result = await askAgain(next, asked, output, `bytes ${fetchFirst}-${fetchLast}/${total}`);
  const body = answeredBody(result.output);
  const stream = readableOf(wanted.decrypt(body), () => destroyStream(body));
  const decrypted = {
    Body: await outputBody(stream),
    ContentLength: last - first + 1,
    ContentRange: `bytes ${first}-${last}/${wanted.total}`,
  };
  return { ...result, output: { ...result.output, ...decrypted } };
}

interface MessageStart {
  readonly format: MessageFormat;
  readonly header: MessageHeader;
  /** Bytes of the whole object. */
  readonly total: number;
  readonly output: GetObjectCommandOutput;
}

async function readHeader(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  next: Next,
): Promise<MessageStart | undefined> {
  let start: Uint8Array = new Uint8Array(0);
  let before: { readonly output: GetObjectCommandOutput; readonly total: number } | undefined;
  for (let size = HEADER_GUESS; ; size *= 4) {
    const offset = start.length;
    const asked = { ...input, Range: `bytes=${offset}-${offset + size - 1}` };
    const { output } =
      before === undefined
        ? await next(asked)
        : await askAgain(next, asked, before.output, contentRange(offset, size, before.total));
    const body = answeredBody(output);
    try {
      const format = messageFormatFor(options, call, output);
      if (format === undefined) return undefined;
      const { first, last, total } = servedRange(output);
      if (output.ContentRange !== contentRange(offset, size, total)) throw notWhatWasAsked();
      const length = last - first + 1;
      const piece = await readAtMost(body, length + 1);
      if (piece.length !== length) throw notWhatWasAsked();
      start = Buffer.concat([start, piece]);
      const header = format.parseHeader(start);
      if (header === null || (header === "incomplete" && start.length >= total)) return undefined;
      if (header !== "incomplete") return { format, header, total, output };
      before = { output, total };
    } finally {
      destroyStream(body);
    }
  }
}

/** What S3 answers to so many bytes from there of an object. */
function contentRange(offset: number, size: number, total: number): string {
  return `bytes ${offset}-${Math.min(offset + size, total) - 1}/${total}`;
}
