import { ReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";

export const NOTHING = (): void => {};

/** Lets a stream fail while nobody reads it; whoever then does still gets the error. */
export function quiet(stream: Readable): void {
  stream.on("error", NOTHING);
}

/**
 * Destroys a stream that was not read to its end; the error that this may raise in it has nobody left to tell. A file
 * that the caller means to close is left open.
 */
export function destroyStream(stream: Readable): void {
  if (stream.destroyed || stream.readableEnded || isClosedByCaller(stream)) return;
  quiet(stream);
  stream.destroy();
}

/** Lets go of a body of the caller's that would stay open. */
export function letGoOfBody(body: unknown): void {
  if (body instanceof Readable) destroyStream(body);
  if (body instanceof ReadableStream && !body.locked) body.cancel().catch(NOTHING);
}

/** Said by `autoClose: false`: another stream may be reading the same descriptor. */
export function isClosedByCaller(stream: Readable): boolean {
  return stream instanceof ReadStream && Reflect.get(stream, "autoClose") === false;
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

/** Without an error a stream would only end; a generator can throw anything. */
function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("The body failed.", { cause: thrown });
}

/** The stream with the SDK's `transformToByteArray`, `transformToString` and `transformToWebStream`. */
export async function outputBody(readable: Readable): Promise<NonNullable<GetObjectCommandOutput["Body"]>> {
  // Loaded when it is needed: finding out what that large CommonJS module exports takes a quarter of our own loading.
  const { sdkStreamMixin } = await import("@smithy/core/serde");
  return sdkStreamMixin(readable);
}
