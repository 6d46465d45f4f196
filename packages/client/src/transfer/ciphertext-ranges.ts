import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { answeredBody } from "../read/answered-body.js";
import { askAgain } from "../read/ask-again.js";
import { readAhead } from "../read/read-ahead.js";
import { assertWhole, notWhatWasAsked, servedRange } from "../read/served-range.js";
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
  /**
   * Lets go of a connection that holds bytes which nobody reads yet, and gives the stored bytes from the beginning, to be
   * asked for again. Undefined where none is held.
   */
  readonly letGo: (() => AsyncGenerator<Uint8Array>) | undefined;
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
  // An abort that came before nobody would hear of any more.
  settings.signal.throwIfAborted();
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
    if (first.output.ETag === undefined) throw withoutTag();
    const object = { ...first, params, get, attempts, signal: stop.signal };
    // Whoever ignores the range sends everything, which may be more than there is room for.
    const isHeld = first.last >= settings.partSize;
    const chunks = isHeld ? allOf(object, first.output, destroy) : inOrder(object, settings, destroy);
    const letGo = (): AsyncGenerator<Uint8Array> => {
      destroyStream(answeredBody(first.output));
      return allOf(object, undefined, destroy);
    };
    return { ...first, body: { chunks, destroy }, close, letGo: isHeld ? letGo : undefined };
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
  /** S3 answered with everything although a range was asked for. */
  readonly isWhole: boolean;
}

interface PinnedObject extends FirstRange {
  readonly params: GetObjectCommandInput;
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
    if (!isError(error) || error.name !== "InvalidRange") throw error;
    output = await get(params);
  }
  const { ContentRange, ContentLength } = output;
  if (ContentRange === undefined && ContentLength !== undefined) {
    assertWhole(output);
    return { output, length: ContentLength, last: ContentLength - 1, isWhole: true };
  }
  const { first, last, total } = servedRange(output);
  if (first !== 0 || last !== Math.min(partSize, total) - 1) throw notWhatWasAsked();
  return { output, length: total, last, isWhole: false };
}

interface Part {
  readonly chunks: AsyncGenerator<Uint8Array>;
  readonly buffer: Uint8Array;
}

function inOrder(object: PinnedObject, settings: RangeSettings, destroy: () => void): AsyncGenerator<Uint8Array> {
  const range = rangeOf(object, 0, object.last, object.output);
  // At once: while its instruction file is fetched, a range that nobody reads would keep a socket from that.
  const buffer = Buffer.allocUnsafeSlow(object.last + 1);
  return restInOrder(object, { chunks: readAhead(range, buffer), buffer }, settings, destroy);
}

async function* allOf(
  object: PinnedObject,
  opened: GetObjectCommandOutput | undefined,
  destroy: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* rangeOf(object, 0, object.last, opened);
  } finally {
    destroy();
  }
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
      if (read?.buffer.length === partSize) free.push(read.buffer);
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
    const isOpen = attempt === 1 && opened !== undefined;
    const body = answeredBody(isOpen ? opened : await getRange(object, offset, last));
    let toSkip = object.isWhole ? offset : 0;
    try {
      for await (const arrived of body as AsyncIterable<Uint8Array>) {
        const chunk = arrived.subarray(Math.min(toSkip, arrived.length));
        toSkip -= arrived.length - chunk.length;
        if (offset + chunk.length > last + 1) throw notWhatWasAsked();
        offset += chunk.length;
        if (chunk.length > 0) yield chunk;
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

/** From where it is asked for on; of an object that comes whole only, all of it. */
async function getRange(object: PinnedObject, first: number, last: number): Promise<GetObjectCommandOutput> {
  const { params, isWhole, length } = object;
  const send = async (input: GetObjectCommandInput): Promise<{ readonly output: GetObjectCommandOutput }> => ({
    output: await object.get(input),
  });
  const { output } = isWhole
    ? await askAgain(send, params, object.output, undefined)
    : await askAgain(
        send,
        { ...params, Range: `bytes=${first}-${last}` },
        object.output,
        `bytes ${first}-${last}/${length}`,
      );
  return output;
}

function withoutTag(): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    "S3 answered without an entity tag, by which ranges of one version are told from those of another: send a GetObjectCommand.",
  );
}

function cutShort(): S3EncryptionError {
  return new S3EncryptionError("content-mismatch", "S3 ended its answer before the range that was asked for.");
}
