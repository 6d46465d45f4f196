import { Readable } from "node:stream";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { sdkStreamMixin } from "@smithy/core/serde";

/** A body being read: chunks, how many bytes they should be, and how to let go of it before its end. */
export interface BodySource {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes, where known beforehand. */
  readonly length: number | undefined;
  readonly destroy: () => void;
}

const NOTHING = (): void => {};

/** Any body that a `PutObjectCommand` accepts, as chunks; `stated` is the command's `ContentLength`. */
export function sourceOfBody(body: unknown, stated: number | undefined): BodySource {
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
  if (body instanceof Readable) {
    return { chunks: bytesOf(body), length: undefined, destroy: () => destroyStream(body) };
  }
  if (body instanceof ReadableStream) {
    return {
      chunks: bytesOf(body),
      length: undefined,
      // A locked stream is being read, and its reader cancels it.
      destroy: () => void (body.locked ? undefined : body.cancel().catch(NOTHING)),
    };
  }
  if (isAsyncIterable(body)) return { chunks: bytesOf(body), length: undefined, destroy: NOTHING };
  throw new S3EncryptionError(
    "invalid-argument",
    "Body must be a string, Uint8Array, Blob, Node Readable, web ReadableStream or async iterable of bytes.",
  );
}

/** Destroys a stream; the error that this may raise in it has nobody left to tell. */
export function destroyStream(stream: Readable): void {
  if (stream.destroyed) return;
  stream.on("error", NOTHING);
  stream.destroy();
}

function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value;
}

const PIECE = 256 * 1024;

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

/** A Node stream over a generator; `release` runs once it is closed, whether it was read, half-read or never read. */
export function readableOf(chunks: AsyncIterable<Uint8Array>, release: () => void): Readable {
  const readable = Readable.from(chunks, { objectMode: false, highWaterMark: PIECE });
  readable.once("close", release);
  return readable;
}

/** The stream with the SDK's `transformToByteArray`, `transformToString` and `transformToWebStream`. */
export function outputBody(readable: Readable): NonNullable<GetObjectCommandOutput["Body"]> {
  return sdkStreamMixin(readable);
}
