import { fstatSync, ReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import { isAnyArrayBuffer, isUint8Array } from "node:util/types";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import {
  can,
  destroyStream,
  isAsyncIterable,
  isClosedByCaller,
  isNodeStream,
  isWebStream,
  NOTHING,
  quiet,
} from "../streams.js";
import { FileBody } from "./file-body.js";
import { assertBytes, assertUnread, bytesAsRead, notNothing, tellsThatItWasRead } from "./taken-body.js";

/** A body being read: chunks, how many bytes they should be, and how to let go of it before its end. */
export interface BodySource {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes, where known beforehand. */
  readonly length: number | undefined;
  /** Whether the caller has all of it in memory anyway. */
  readonly isInMemory: boolean;
  readonly destroy: () => void;
}

/** OpenSSL is fastest in pieces that fit the cache, and one huge update would allocate its whole output at once. */
const PIECE = 256 * 1024;

/** A put as a command has it, or with a file for its body. */
export type ObjectToPut = Omit<PutObjectCommandInput, "Body"> & {
  readonly Body?: PutObjectCommandInput["Body"] | FileBody;
};

/** Any body that a `PutObjectCommand` accepts, as chunks; `stated` is the command's `ContentLength`. */
export function sourceOfBody(body: unknown, stated: number | undefined): BodySource {
  if (stated !== undefined && !(Number.isSafeInteger(stated) && stated >= 0)) {
    throw new S3EncryptionError("invalid-argument", "ContentLength must be a number of bytes, 0 or more.");
  }
  // It may fail before it is read, while a key store is asked; reading it then tells.
  quiet(body);
  const source = sourceOf(body, stated);
  const length = source.length ?? stated;
  if (stated !== undefined && length !== stated) {
    throw new S3EncryptionError("content-mismatch", `ContentLength is ${stated}, but the body has ${length} bytes.`);
  }
  return length === undefined ? source : { ...source, length, chunks: exactly(source.chunks, length) };
}

function sourceOf(body: unknown, stated: number | undefined): BodySource {
  const bytes = body === undefined || body === null ? new Uint8Array(0) : bytesOf(body);
  if (bytes !== undefined) {
    return { chunks: piecesOf(bytes), length: bytes.length, isInMemory: true, destroy: NOTHING };
  }
  if (body instanceof FileBody) return sourceOnce(body.chunks(), () => body.destroy(), body.length());
  if (isBlob(body)) return sourceOnce(piecesOfBlob(body), NOTHING, body.size);
  const source = sourceOfStream(body);
  // Of no bytes, any number of times is as good as once.
  if (stated === 0 || tellsThatItWasRead(body as object)) return source;
  return { ...source, chunks: notNothing(source.chunks) };
}

function sourceOfStream(body: unknown): BodySource {
  // A class of Node's own, which all realms share; the files of other packages need not be where their paths say.
  if (body instanceof ReadStream) return sourceOfFile(body);
  if (isNodeStream(body)) return sourceOfNodeStream(body);
  if (isWebStream(body)) return sourceOfWebStream(body);
  if (isAsyncIterable(body)) return sourceOnce(gathered(always(body)), NOTHING);
  throw new S3EncryptionError(
    "invalid-argument",
    "Body must be a string, bytes, Blob, Node Readable, web ReadableStream or async iterable of bytes.",
  );
}

function sourceOnce(chunks: AsyncIterable<Uint8Array>, destroy: () => void, length?: number): BodySource {
  return { chunks, length, isInMemory: false, destroy };
}

/** Bytes that are there, of whatever realm. OpenSSL takes them as they are. Throws for those of a buffer that was transferred. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  assertNotTransferred(value);
  if (isUint8Array(value)) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return isAnyArrayBuffer(value) ? new Uint8Array(value) : undefined;
}

/** A buffer that was transferred looks like one of no bytes, which would be stored with success. */
function assertNotTransferred(value: unknown): void {
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
  if (!isAnyArrayBuffer(buffer) || buffer.byteLength > 0) return;
  try {
    // Told by what cannot be done with it: Node 20 has no other way.
    new Uint8Array(buffer);
  } catch (cause) {
    throw new S3EncryptionError(
      "invalid-argument",
      "The bytes of the Body were transferred to another thread, or to a structuredClone(), and are here no more: pass a copy.",
      { cause },
    );
  }
}

export function isBlob(value: unknown): value is Blob {
  return (
    typeof value === "object" &&
    value !== null &&
    can(value, "slice") &&
    can(value, "arrayBuffer") &&
    typeof Reflect.get(value, "size") === "number"
  );
}

function sourceOfNodeStream(stream: Readable): BodySource {
  // A class of Node's own, which all realms share.
  if (stream instanceof Readable) return sourceOnce(gathered(ifUnread(stream, stream)), () => destroyStream(stream));
  // Others may have no iterator, or one that ends well where the stream broke off. What they do is noticed from here on.
  const read = new Readable({ objectMode: true }).wrap(stream);
  quiet(read);
  return sourceOnce(gathered(always(bytesAsRead(stream, read))), () => {
    destroyStream(stream);
    destroyStream(read);
  });
}

function always(chunks: AsyncIterable<unknown>): () => AsyncIterable<unknown> {
  return () => chunks;
}

/** Between taking a stream and reading it, a key store was asked: time enough for somebody else to read from it. */
function ifUnread(stream: Readable, chunks: AsyncIterable<unknown>): () => AsyncIterable<unknown> {
  return () => {
    assertUnread(stream);
    assertBytes(stream);
    return stream.readableEncoding === null ? chunks : bytesAsRead(stream, chunks);
  };
}

/** A file about to be read: in large pieces, which is most of what a fast upload needs, and of known length. */
function sourceOfFile(file: ReadStream): BodySource {
  const untouched = file.bytesRead === 0 && file.readableEncoding === null && !file.destroyed;
  const chunks = isClosedByCaller(file) ? file.iterator({ destroyOnReturn: false }) : file;
  // Asking for more than a stream's high-water mark raises it; in pieces of 64 KiB, reading costs twice as much.
  if (untouched) file.read(PIECE);
  const length = untouched ? lengthOfFile(file) : undefined;
  return sourceOnce(gathered(ifUnread(file, chunks)), () => destroyStream(file), length);
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
  return sourceOnce(gathered(values), () => void reader.cancel().catch(NOTHING));
}

export async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += PIECE) yield bytes.subarray(offset, offset + PIECE);
}

export async function* piecesOfBlob(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < blob.size; offset += PIECE) {
    yield new Uint8Array(await blob.slice(offset, offset + PIECE).arrayBuffer());
  }
}

/**
 * A stream's bytes in pieces worth a request to OpenSSL and to the network, whatever pieces it has. Each is valid until
 * the next one is asked for: who keeps it must copy it, and encryption does not keep it.
 */
async function* gathered(open: () => AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  const piece = Buffer.allocUnsafeSlow(PIECE);
  let filled = 0;
  for await (const given of open()) {
    const chunk = bytesOf(given);
    if (chunk === undefined) {
      throw new S3EncryptionError("invalid-argument", "A stream body must yield bytes or strings, not other objects.");
    }
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

/** Fails a body that is shorter or longer than it was said to be, before its last bytes are out. */
export async function* exactly(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
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
