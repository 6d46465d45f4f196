import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { readAtMost } from "@s3ec/envelope";
import type { ObjectFormat, ObjectHead } from "@s3ec/materials";
import { destroyStream } from "../streams.js";
import { answeredBody } from "./answered-body.js";
import { askAgain } from "./ask-again.js";
import { inBody, recognisedByMetadata, recognisedBySibling } from "./recognise.js";
import { notWhatWasAsked, servedRange } from "./served-range.js";

/** Bytes: a head with a few wrapped keys is shorter, and one that is not is asked for again. */
const HEAD_GUESS = 2048;

/** The beginning of an object, read as far as it takes to say which format it is of. */
export interface ObjectStart {
  readonly format: ObjectFormat;
  readonly head: ObjectHead | undefined;
  /** Bytes of the whole object. */
  readonly total: number;
  readonly output: GetObjectCommandOutput;
}

/** Asks for the beginning of an object, in ranges and of one version of it. Throws `not-encrypted` where no format has it. */
export async function readHead(
  formats: readonly ObjectFormat[],
  input: GetObjectCommandInput,
  next: (input: GetObjectCommandInput) => Promise<{ readonly output: GetObjectCommandOutput }>,
): Promise<ObjectStart> {
  let start: Uint8Array = new Uint8Array(0);
  let before: { readonly output: GetObjectCommandOutput; readonly total: number } | undefined;
  for (let size = HEAD_GUESS; ; size *= 4) {
    const offset = start.length;
    const asked = { ...input, Range: `bytes=${offset}-${offset + size - 1}` };
    const { output } =
      before === undefined
        ? await next(asked)
        : await askAgain(next, asked, before.output, contentRange(offset, size, before.total));
    const body = answeredBody(output);
    try {
      const { first, last, total } = servedRange(output);
      if (output.ContentRange !== contentRange(offset, size, total)) throw notWhatWasAsked();
      const told = recognisedByMetadata(formats, output);
      if (told !== undefined) return { format: told, head: undefined, total, output };
      const length = last - first + 1;
      const piece = await readAtMost(body, length + 1);
      if (piece.length !== length) throw notWhatWasAsked();
      start = Buffer.concat([start, piece]);
      const candidates = inBody(formats, output).map((format) => ({ format, head: format.readHead?.(start) ?? null }));
      const found = candidates.find(({ head }) => head !== null && head !== "incomplete");
      if (found?.head && found.head !== "incomplete") return { format: found.format, head: found.head, total, output };
      if (start.length >= total || candidates.every(({ head }) => head === null)) {
        return { format: recognisedBySibling(formats, output), head: undefined, total, output };
      }
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
