import { fstatSync, ReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import type { GetObjectCommandOutput, PutObjectCommandInput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { FileBody } from "./file-body.js";

/** A body being read: chunks, how many bytes they should be, and how to let go of it before its end. */
export interface BodySource {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes, where known beforehand. */
  readonly length: number | undefined;
  readonly destroy: () => void;
}

/** A put as a command has it, or with a file for its body. */
export type ObjectToSeal = Omit<PutObjectCommandInput, "Body"> & {
  readonly Body?: PutObjectCommandInput["Body"] | FileBody;
};

const NOTHING = (): void => {};

/** Any body that a `PutObjectCommand` accepts, as chunks; `stated` is the command's `ContentLength`. */
export function sourceOfBody(body: unknown, stated: number | undefined): BodySource {
  if (stated !== undefined && !(Number.isSafeInteger(stated) && stated >= 0)) {
    throw new S3EncryptionError("invalid-argument", "ContentLength must be a number of bytes, 0 or more.");
  }
  // It may fail before it is read, while a key store is asked; reading it then tells.
  if (body instanceof Readable) quiet(body);
  const source = unboundedSource(body);
  const length = source.length ?? stated;
  if (stated !== undefined && length !== stated) {
    throw new S3EncryptionError("content-mismatch", `ContentLength is ${stated}, but the body has ${length} bytes.`);
  }
  return length === undefined ? source : { ...source, length, chunks: exactly(source.chunks, length) };
}

function unboundedSource(body: unknown): BodySource {
  if (body === undefined || body === null) return sourceOfBytes(new Uint8Array(0));
  if (typeof body === "string") return sourceOfBytes(Buffer.from(body, "utf8"));
  if (body instanceof Uint8Array) return sourceOfBytes(body);
  if (body instanceof ArrayBuffer) return sourceOfBytes(new Uint8Array(body));
  if (ArrayBuffer.isView(body)) return sourceOfBytes(new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
  if (body instanceof Blob) return { chunks: piecesOfBlob(body), length: body.size, destroy: NOTHING };
  if (body instanceof Readable && body.readableEnded) {
    throw new S3EncryptionError("invalid-argument", "The Body stream was read already; pass one that was not.");
  }
  if (body instanceof ReadStream) return sourceOfFile(body);
  if (body instanceof FileBody) return { chunks: body.chunks(), length: body.length(), destroy: NOTHING };
  if (body instanceof Readable) {
    return { chunks: gathered(body), length: undefined, destroy: () => destroyStream(body) };
  }
  if (body instanceof ReadableStream) return sourceOfWebStream(body);
  if (typeof body === "object" && isAsyncIterable(body))
    return { chunks: gathered(body), length: undefined, destroy: NOTHING };
  throw new S3EncryptionError(
    "invalid-argument",
    "Body must be a string, Uint8Array, Blob, Node Readable, web ReadableStream or async iterable of bytes.",
  );
}

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
function isClosedByCaller(stream: Readable): boolean {
  return stream instanceof ReadStream && Reflect.get(stream, "autoClose") === false;
}

function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value;
}

const PIECE = 256 * 1024;

/** A file about to be read: in large pieces, which is most of what a fast upload needs, and of known length. */
function sourceOfFile(file: ReadStream): BodySource {
  const untouched = file.bytesRead === 0 && file.readableEncoding === null && !file.destroyed;
  // Asking for more than a stream's high-water mark raises it; in pieces of 64 KiB, reading costs twice as much.
  if (untouched) file.read(PIECE);
  return {
    chunks: gathered(isClosedByCaller(file) ? file.iterator({ destroyOnReturn: false }) : file),
    length: untouched ? lengthOfFile(file) : undefined,
    destroy: () => destroyStream(file),
  };
}

/** What `start` and `end` leave of a regular file; undefined for anything else, and where reading it will fail. */
function lengthOfFile(file: ReadStream): number | undefined {
  // Set by Node, though not in its types; read as the SDK reads them.
  const [fd, start, end]: unknown[] = ["fd", "start", "end"].map((name) => Reflect.get(file, name));
  try {
    const stats = typeof fd === "number" ? fstatSync(fd) : statSync(file.path);
    // Of a descriptor without a start, the position is not known.
    if (!stats.isFile() || (file.path === undefined && start === undefined)) return undefined;
    const first = typeof start === "number" ? start : 0;
    const behind = typeof end === "number" ? Math.min(stats.size, end + 1) : stats.size;
    return Math.max(0, behind - first);
  } catch {
    return undefined;
  }
}

/** Read by a reader of our own, so that it can be cancelled while it is waited for. */
function sourceOfWebStream(stream: ReadableStream): BodySource {
  const reader = stream.getReader();
  const values = async function* (): AsyncGenerator<unknown> {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  };
  return { chunks: gathered(values()), length: undefined, destroy: () => void reader.cancel().catch(NOTHING) };
}

/** OpenSSL is fastest in pieces that fit the cache, and one huge update would allocate its whole output at once. */
function sourceOfBytes(bytes: Uint8Array): BodySource {
  return { chunks: piecesOf(bytes), length: bytes.length, destroy: NOTHING };
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += PIECE) yield bytes.subarray(offset, offset + PIECE);
}

async function* piecesOfBlob(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < blob.size; offset += PIECE) {
    yield new Uint8Array(await blob.slice(offset, offset + PIECE).arrayBuffer());
  }
}

/**
 * A stream's bytes in pieces worth a request to OpenSSL and to the network, whatever pieces it has. Each is valid until
 * the next one is asked for: who keeps it must copy it, and encryption does not keep it.
 */
async function* gathered(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  const piece = Buffer.allocUnsafeSlow(PIECE);
  let filled = 0;
  for await (const chunk of bytesOf(stream)) {
    if (filled === 0 && chunk.length >= PIECE) {
      yield chunk;
      continue;
    }
    for (let offset = 0; offset < chunk.length; ) {
      const taken = chunk.subarray(offset, offset + PIECE - filled);
      piece.set(taken, filled);
      filled += taken.length;
      offset += taken.length;
      if (filled < PIECE) continue;
      yield piece;
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

async function* bytesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    if (chunk instanceof Uint8Array) yield chunk;
    else if (typeof chunk === "string") yield Buffer.from(chunk, "utf8");
    else
      throw new S3EncryptionError("invalid-argument", "A stream body must yield bytes or strings, not other objects.");
  }
}

/** Fails a body that is shorter or longer than it was said to be, before its last bytes are out. */
async function* exactly(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const chunk of chunks) {
    seen += chunk.length;
    if (seen > length) {
      throw new S3EncryptionError(
        "content-mismatch",
        `The body is longer than the ${length} bytes it was said to have.`,
      );
    }
    yield chunk;
  }
  if (seen < length) {
    throw new S3EncryptionError("content-mismatch", `The body ended after ${seen} of ${length} bytes.`);
  }
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
