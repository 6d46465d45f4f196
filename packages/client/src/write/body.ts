import { fstatSync, ReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { destroyStream, isClosedByCaller, NOTHING, quiet } from "../streams.js";
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
