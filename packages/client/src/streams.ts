import { Readable } from "node:stream";
import type { GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { isError } from "@s3ec/materials";
import { once } from "./once.js";

export const NOTHING = (): void => {};

// What comes from outside is told by what it can do: other copies, packages and realms (Jest's, a vm's) have classes of
// their own.

/** A stream of `node:stream`, or of a package like it, that can be read. */
export function isNodeStream(value: unknown): value is Readable {
  return isObject(value) && can(value, "pipe") && can(value, "on") && "readable" in value;
}

export function isWebStream(value: unknown): value is ReadableStream {
  return isObject(value) && can(value, "getReader") && "locked" in value;
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return isObject(value) && can(value, Symbol.asyncIterator);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

export function can(value: object, method: string | symbol): boolean {
  return typeof Reflect.get(value, method) === "function";
}

/** Lets a stream fail while nobody reads it; whoever then does still gets the error. Anything else is left alone. */
export function quiet(stream: unknown): void {
  if (isObject(stream) && can(stream, "on") && can(stream, "pipe")) (stream as Readable).on("error", NOTHING);
}

/**
 * Destroys a stream that was not read to its end; the error that this may raise in it has nobody left to tell. A file
 * that the caller means to close is left open.
 */
export function destroyStream(stream: Readable): void {
  if (stream.destroyed || stream.readableEnded || isClosedByCaller(stream)) return;
  quiet(stream);
  if (can(stream, "destroy")) stream.destroy();
}

/** Lets go of a body of the caller's that would stay open. */
export function letGoOfBody(body: unknown): void {
  if (isNodeStream(body)) destroyStream(body);
  else if (isWebStream(body) && !body.locked) body.cancel().catch(NOTHING);
}

/** Said of a file by `autoClose: false`: another stream may be reading the same descriptor. */
export function isClosedByCaller(stream: Readable): boolean {
  return Reflect.get(stream, "autoClose") === false;
}

/**
 * A Node stream over a generator; `release` runs once it was read, or at once when it is destroyed: a source that is
 * being waited for must not keep its socket.
 */
export function readableOf(chunks: AsyncGenerator<Uint8Array>, release: () => void): Readable {
  let pushing = false;
  const push = async (readable: Readable): Promise<void> => {
    pushing = true;
    while (pushing) {
      const { done, value } = await chunks.next();
      if (readable.destroyed) return;
      if (done === true) {
        readable.push(null);
        return;
      }
      // An empty chunk would count as one, and reading would stop. Cleared at once, or the next request would be lost.
      if (value.length > 0) pushing = readable.push(value);
    }
  };
  return new Readable({
    // One chunk at a time: of several that are waiting, Node would make one, copying all of them.
    highWaterMark: 1,
    read() {
      // Node asks after every push, also while there is more to come.
      if (!pushing) push(this).catch((error: unknown) => this.destroy(errorOf(error)));
    },
    destroy(error, done) {
      release();
      chunks.return(undefined).catch(NOTHING);
      done(error);
    },
  });
}

/** The same over bytes that are there: without the promises that each step of a generator takes. */
function readableOfBytes(bytes: Uint8Array): Readable {
  return new Readable({
    // An end comes behind what was read, and not before anybody has asked.
    read() {
      if (bytes.length > 0) this.push(bytes);
      this.push(null);
    },
  });
}

/** Without an error a stream would only end; a generator can throw anything. */
function errorOf(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error("The body failed.", { cause: thrown });
}

/** The same as a web stream: nothing is read ahead of who reads it. */
function webStreamOf(chunks: AsyncGenerator<Uint8Array>, release: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          let next = await chunks.next();
          // An empty one would count as an answer to nobody's question.
          while (next.done !== true && next.value.length === 0) next = await chunks.next();
          if (next.done !== true) return controller.enqueue(next.value);
          controller.close();
          release();
        } catch (error) {
          release();
          throw errorOf(error);
        }
      },
      cancel() {
        release();
        chunks.return(undefined).catch(NOTHING);
      },
    },
    { highWaterMark: 0 },
  );
}

/** The stream with the SDK's `transformToByteArray`, `transformToString` and `transformToWebStream`. */
export async function outputBody(
  stream: Readable | ReadableStream<Uint8Array>,
): Promise<NonNullable<GetObjectCommandOutput["Body"]>> {
  const { sdkStreamMixin } = await serde();
  return sdkStreamMixin(stream);
}

/** Loaded when it is needed: finding out what that large CommonJS module exports takes a quarter of our own loading. */
const serde = once(() => import("@smithy/core/serde"));

/** The same of the kind that S3's answer was, which is what the caller's request handler and their SDK work with. */
export async function outputBodyLike(
  answered: GetObjectCommandOutput["Body"],
  {
    chunks,
    whole,
    destroy,
  }: { readonly chunks: AsyncGenerator<Uint8Array>; readonly whole?: Uint8Array; readonly destroy: () => void },
): Promise<NonNullable<GetObjectCommandOutput["Body"]>> {
  if (!isNodeStream(answered)) return outputBody(webStreamOf(chunks, destroy));
  return outputBody(whole === undefined ? readableOf(chunks, destroy) : readableOfBytes(whole));
}

/** Whether a client sends streams of Node's. That of a browser or Worker gives its body to `fetch`, which would send their name. */
export function sendsNodeStreams({ config }: Pick<S3Client, "config">): boolean {
  return config.runtime === "node";
}
