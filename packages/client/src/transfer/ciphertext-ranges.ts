import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { answeredBody, pinnedTo } from "../read/answered-object.js";
import { readAhead } from "../read/read-ahead.js";
import { notWhatWasAsked } from "../read/served-range.js";
import type { CiphertextBody } from "../read/whole-content.js";
import { destroyStream } from "../streams.js";

export interface RangeSettings {
  /** Bytes of one range. */
  readonly partSize: number;
  /** Ranges in flight or held at once. */
  readonly queueSize: number;
  readonly signal: AbortSignal;
}

/** A stored object whose first range has arrived. */
export interface RangedObject {
  /** S3's answer to the first range: the metadata, and which version the others are pinned to. */
  readonly output: GetObjectCommandOutput;
  /** Bytes of the whole stored object. */
  readonly length: number;
  /** The stored bytes, all and in order. Requests the other ranges once it is read from. */
  readonly body: CiphertextBody;
  /** Lets go of everything, and resolves once no request is left. */
  readonly close: () => Promise<void>;
}

/**
 * Reads a stored object through ranged GETs, several at once. All are answered from one version of the object, or it is
 * refused with `content-mismatch`. A range that breaks off is resumed where it did.
 *
 * @param client one that does not decrypt
 */
export async function openRanges(
  client: S3Client,
  params: GetObjectCommandInput,
  settings: RangeSettings,
): Promise<RangedObject> {
  const stop = new AbortController();
  const requests = new Set<Promise<unknown>>();
  const bodies = new Set<Readable>();
  const get = async (input: GetObjectCommandInput): Promise<GetObjectCommandOutput> => {
    const request = client.send(new GetObjectCommand(input), { abortSignal: stop.signal });
    requests.add(request);
    const output = await request.finally(() => requests.delete(request));
    const Body = answeredBody(output);
    bodies.add(Body);
    Body.once("close", () => bodies.delete(Body));
    if (stop.signal.aborted) destroyStream(Body);
    return output;
  };
  const destroy = (): void => {
    settings.signal.removeEventListener("abort", destroy);
    stop.abort();
    for (const body of bodies) destroyStream(body);
  };
  const close = async (): Promise<void> => {
    destroy();
    await Promise.allSettled(requests);
  };
  settings.signal.addEventListener("abort", destroy, { once: true });
  try {
    const first = await firstRange(get, params, settings.partSize);
    const attempts = await client.config.maxAttempts();
    // Without a tag there is nothing to tell one version from another by.
    if (first.output.ETag === undefined) throw notWhatWasAsked();
    const object = { ...first, pinned: pinnedTo(params, first.output), get, attempts, signal: stop.signal };
    return { ...first, body: { chunks: inOrder(object, settings, destroy), destroy }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Get = (input: GetObjectCommandInput) => Promise<GetObjectCommandOutput>;

interface FirstRange {
  readonly output: GetObjectCommandOutput;
  readonly length: number;
  /** The last byte that its body holds. */
  readonly last: number;
}

interface PinnedObject extends FirstRange {
  readonly pinned: GetObjectCommandInput;
  readonly get: Get;
  readonly attempts: number;
  readonly signal: AbortSignal;
}

async function firstRange(get: Get, params: GetObjectCommandInput, partSize: number): Promise<FirstRange> {
  let output: GetObjectCommandOutput;
  try {
    output = await get({ ...params, Range: `bytes=0-${partSize - 1}` });
  } catch (error) {
    // Nothing can be asked of an empty object; no client of ours writes one, but what it is shows in its metadata.
    if (!(error instanceof Error) || error.name !== "InvalidRange") throw error;
    output = await get(params);
  }
  const { ContentRange, ContentLength } = output;
  if (ContentRange === undefined && ContentLength !== undefined) {
    return { output, length: ContentLength, last: ContentLength - 1 };
  }
  const [, last, length] = /^bytes 0-(\d+)\/(\d+)$/.exec(ContentRange ?? "") ?? [];
  if (last === undefined || Number(last) !== Math.min(partSize, Number(length)) - 1) throw notWhatWasAsked();
  return { output, length: Number(length), last: Number(last) };
}

interface Part {
  readonly chunks: AsyncGenerator<Uint8Array>;
  readonly buffer: Uint8Array | undefined;
}

function inOrder(object: PinnedObject, settings: RangeSettings, destroy: () => void): AsyncGenerator<Uint8Array> {
  const range = rangeOf(object, 0, object.last, object.output);
  const length = object.last + 1;
  // Whoever ignores the range sends everything, which may be more than there is room for.
  if (length > settings.partSize) return restInOrder(object, { chunks: range, buffer: undefined }, settings, destroy);
  // At once: while its instruction file is fetched, a range that nobody reads would keep a socket from that.
  const buffer = Buffer.allocUnsafeSlow(length);
  return restInOrder(object, { chunks: readAhead(range, buffer), buffer }, settings, destroy);
}

/** A chunk is valid until the next but one is asked for: the buffers of parts that were read serve again. */
async function* restInOrder(
  object: PinnedObject,
  first: Part,
  { partSize, queueSize }: RangeSettings,
  destroy: () => void,
): AsyncGenerator<Uint8Array> {
  const parts = [first];
  const free: Uint8Array[] = [];
  let next = object.last + 1;
  let read: Part | undefined;
  try {
    while (true) {
      while (next < object.length && parts.length < queueSize) {
        const last = Math.min(next + partSize, object.length) - 1;
        const buffer = free.pop() ?? Buffer.allocUnsafeSlow(partSize);
        parts.push({ chunks: readAhead(rangeOf(object, next, last), buffer), buffer });
        next = last + 1;
      }
      const [part] = parts;
      if (part === undefined) return;
      yield* part.chunks;
      parts.shift();
      // Decryption holds the last chunk until it has the one after it, so a part is over only when the next one is.
      if (read?.buffer?.length === partSize) free.push(read.buffer);
      read = part;
    }
  } finally {
    destroy();
  }
}

/** One range of the object: exactly its bytes, or an error. */
async function* rangeOf(
  object: PinnedObject,
  first: number,
  last: number,
  opened?: GetObjectCommandOutput,
): AsyncGenerator<Uint8Array> {
  let offset = first;
  for (let attempt = 1; offset <= last; attempt++) {
    const { Body } = attempt === 1 && opened !== undefined ? opened : await getRange(object, offset, last);
    try {
      for await (const chunk of Body as AsyncIterable<Uint8Array>) {
        if (offset + chunk.length > last + 1) throw notWhatWasAsked();
        offset += chunk.length;
        yield chunk;
      }
      if (offset > last) return;
    } catch (error) {
      if (attempt >= object.attempts || object.signal.aborted || error instanceof S3EncryptionError) throw error;
    }
    if (attempt >= object.attempts) throw cutShort();
    // The SDK retries requests; that a body broke off is ours to mend.
    await delay(Math.random() * 100 * 2 ** attempt, undefined, { signal: object.signal });
  }
}

async function getRange(object: PinnedObject, first: number, last: number): Promise<GetObjectCommandOutput> {
  const output = await object.get({ ...object.pinned, Range: `bytes=${first}-${last}` }).catch((error: unknown) => {
    throw error instanceof Error && error.name === "PreconditionFailed" ? replaced(error) : error;
  });
  if (output.ETag !== object.pinned.IfMatch) throw replaced();
  if (output.ContentRange !== `bytes ${first}-${last}/${object.length}`) throw notWhatWasAsked();
  return output;
}

function replaced(cause?: unknown): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    "The object was replaced while it was being downloaded; download it again.",
    cause === undefined ? undefined : { cause },
  );
}

function cutShort(): S3EncryptionError {
  return new S3EncryptionError("content-mismatch", "S3 ended its answer before the range that was asked for.");
}
