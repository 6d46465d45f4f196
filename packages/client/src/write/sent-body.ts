import type { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { isNodeStream, quiet } from "../streams.js";

/** Bytes; what Node's own streams of files come in. */
const LEAST_PIECE = 64 * 1024;

/**
 * A body's bytes in pieces that S3 takes of a stream: the SDK makes one aws-chunked chunk of each, and S3 refuses one of
 * less than 8 KiB that is not the last. A tag, or the head of a frame, is a piece by itself until here. Short pieces are
 * copied, into memory that is used only once, since nobody tells when it has been sent (G6); others are handed on as they
 * are.
 */
export async function* piecesToSend(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = Buffer.alloc(0);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let offset = 0; offset < chunk.length; ) {
      const rest = chunk.subarray(offset);
      if (filled === 0 && rest.length >= LEAST_PIECE) {
        yield rest;
        break;
      }
      if (filled === 0) piece = Buffer.allocUnsafeSlow(LEAST_PIECE);
      const taken = rest.subarray(0, LEAST_PIECE - filled);
      piece.set(taken, filled);
      filled += taken.length;
      offset += taken.length;
      if (filled < LEAST_PIECE) continue;
      yield piece;
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

/**
 * The SDK pipes a stream body into the request, maybe through a stream of its own, and listens to the errors of neither:
 * a body that fails would end the process, and its request would wait for the rest for ever. Here a failing body
 * destroys the request with its error, which is what the caller then gets.
 */
function failWithBody(input: object, request: unknown): void {
  const source: unknown = Reflect.get(input, "Body");
  if (!isNodeStream(source) || typeof request !== "object" || request === null) return;
  const sent: unknown = Reflect.get(request, "body");
  if (!isNodeStream(sent)) return;
  const pipe = sent.pipe;
  // It may fail before it is piped, while S3 is asked whether it wants the body (Expect: 100-continue).
  for (const stream of [source, sent]) quiet(stream);
  sent.pipe = function pipeOrFail(destination, options) {
    const fail = (error: Error): void => {
      if ("destroy" in destination && typeof destination.destroy === "function") destination.destroy(error);
    };
    if (source.errored) fail(source.errored);
    source.once("error", fail);
    return pipe.call(sent, destination, options) as typeof destination;
  };
}

/** How the bytes of a stream are made once more, and which streams a request was made of. */
const NEXT = new WeakMap<object, () => Readable>();
const PASSED = new WeakSet<object>();

/** Has a request that begins again, such as in the region that S3 redirects to, send what `makeNext` makes. */
export function sendsAnew(body: Readable, makeNext: () => Readable): void {
  NEXT.set(body, makeNext);
}

/** A stream that was read would be sent from where it stands, and what was promised of its length would never come. */
function withUnreadBody<Input extends object>(input: Input): Input {
  const body: unknown = Reflect.get(input, "Body");
  if (!isNodeStream(body)) return input;
  const isFirst = !PASSED.has(body);
  PASSED.add(body);
  if (isFirst) return input;
  const makeNext = NEXT.get(body);
  if (makeNext !== undefined) return withUnreadBody({ ...input, Body: makeNext() });
  if (!body.readableDidRead) return input;
  throw new S3EncryptionError(
    "unsupported-operation",
    "The request was to be sent again, as to another region, and its body is a stream that was read: give the client the region of the bucket, or pass bytes or a file.",
  );
}

/** Does that for every command of a client's stack. */
export function failWithBodies(stack: Pick<S3Client["middlewareStack"], "add">): void {
  stack.add(
    (next) => async (args) => next({ ...args, input: withUnreadBody(args.input) }),
    // Behind what follows redirects.
    { step: "initialize", priority: "low", name: "s3EncryptionUnreadBody", override: true },
  );
  stack.add(
    (next) => async (args) => {
      failWithBody(args.input, args.request);
      return next(args);
    },
    // After the SDK has put its own stream around the body, before it waits for credentials and signs.
    { step: "build", priority: "low", name: "s3EncryptionMiddlewareBody", override: true },
  );
}
