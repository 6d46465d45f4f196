import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { GatheredBytes } from "@s3ec/envelope";
import { type ObjectFormat, type ObjectHead, S3EncryptionError } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import { formatNamed, type ResolvedOptions } from "../options.js";

/** Which format an object is of, and what of it has been read to tell. */
export interface RecognisedObject {
  readonly format: ObjectFormat;
  readonly head: ObjectHead | undefined;
  /** The stored bytes: all of them, or those behind the head. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** The formats to look for: the one that the call names, or all. */
export function formatsOf(options: ResolvedOptions, { format }: CallOptions): readonly ObjectFormat[] {
  return format === undefined ? options.formats : [formatNamed(options, format)];
}

/** The format that the metadata alone says, if any. */
export function recognisedByMetadata(
  formats: readonly ObjectFormat[],
  { Metadata = {} }: Pick<GetObjectCommandOutput, "Metadata">,
): ObjectFormat | undefined {
  return formats.find((format) => format.recognise(Metadata) === "by-metadata");
}

/** Those that only an object's first bytes can tell. */
export function inBody(
  formats: readonly ObjectFormat[],
  { Metadata = {} }: Pick<GetObjectCommandOutput, "Metadata">,
): readonly ObjectFormat[] {
  return formats.filter((format) => format.readHead !== undefined && format.recognise(Metadata) === "by-body");
}

/** The format that a file beside the object may tell, once nothing else has. Throws `not-encrypted` where there is none. */
export function recognisedBySibling(
  formats: readonly ObjectFormat[],
  { Metadata = {} }: Pick<GetObjectCommandOutput, "Metadata">,
): ObjectFormat {
  const format = formats.find((candidate) => candidate.recognise(Metadata) === "by-sibling");
  if (format !== undefined) return format;
  const names = formats.map(({ name }) => `"${name}"`).join(", ");
  throw new S3EncryptionError(
    "not-encrypted",
    `The object is of no format that this client was given (${names}): neither its metadata nor its first bytes are.`,
  );
}

/** Finds the format of an object, reading no more of it than that takes. */
export async function recognise(
  formats: readonly ObjectFormat[],
  output: Pick<GetObjectCommandOutput, "Metadata">,
  body: AsyncIterable<Uint8Array>,
): Promise<RecognisedObject> {
  const told = recognisedByMetadata(formats, output);
  if (told !== undefined) return { format: told, head: undefined, chunks: body };
  let chunks = body;
  for (const format of inBody(formats, output)) {
    const start = await readStart(format, chunks);
    chunks = start.chunks;
    if (start.head !== undefined) return { format, head: start.head, chunks };
  }
  return { format: recognisedBySibling(formats, output), head: undefined, chunks };
}

async function readStart(
  format: ObjectFormat,
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: ObjectHead | undefined; readonly chunks: AsyncGenerator<Uint8Array> }> {
  const source = body[Symbol.asyncIterator]();
  const start = new GatheredBytes();
  // Not for every piece, of which there may be as many as bytes: each time only once there is twice as much.
  for (let enough = 0; ; enough = Math.max(1, 2 * start.length)) {
    let ended = false;
    while (!ended && start.length < enough) {
      const { done, value } = await source.next();
      if (done === true) ended = true;
      else start.append(value);
    }
    const read = format.readHead?.(start.bytes) ?? null;
    if (read === "incomplete" && !ended) continue;
    const head = read === null || read === "incomplete" ? undefined : read;
    return { head, chunks: joined(start.bytes.subarray(head?.length ?? 0), source) };
  }
}

async function* joined(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (start.length > 0) yield start;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Advice where none of the formats told an object, and none of them looks into bodies. */
export function otherFormats(formats: readonly ObjectFormat[]): string {
  return formats.every(({ readHead }) => readHead === undefined)
    ? " If it is a message of the AWS Encryption SDK, or of another format, name that in formats."
    : "";
}
