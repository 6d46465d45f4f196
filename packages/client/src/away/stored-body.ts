import type { Readable } from "node:stream";
import { S3EncryptionError } from "@s3ec/materials";
import { answeredBody } from "../read/answered-body.js";
import type { CiphertextBody } from "../read/whole-content.js";
import { destroyStream, isAsyncIterable, isNodeStream, isWebStream, NOTHING } from "../streams.js";
import { bytesOf, exactly, isBlob, piecesOf, piecesOfBlob } from "../write/body.js";
import { takeBody } from "../write/taken-body.js";
import { invalid } from "./away-options.js";

/** The bytes of a stored object, wherever they are. */
export type StoredBody =
  | ArrayBuffer
  | ArrayBufferView
  | AsyncIterable<Uint8Array>
  | Blob
  | Readable
  | ReadableStream<Uint8Array>;

/** Stored bytes that are to be read once, and how many there are where that is known. */
export interface GivenBody extends CiphertextBody {
  readonly length: number | undefined;
}

/**
 * Takes what is given for a stored object's bytes.
 *
 * @param stated how many there have to be, where that is known
 * @throws S3EncryptionError `invalid-argument`; `content-mismatch` for another number of bytes, also while they are read
 */
export function givenBody(body: unknown, stated: number | undefined): GivenBody {
  if (stated !== undefined && !(Number.isSafeInteger(stated) && stated >= 0)) {
    throw invalid("ContentLength must be a number of bytes, 0 or more.");
  }
  const { chunks, length = stated, destroy } = sourceOf(body);
  if (stated !== undefined && stated !== length) {
    throw new S3EncryptionError(
      "content-mismatch",
      `The object is said to have ${stated} bytes, and ${length} were given.`,
    );
  }
  // As many as memory is taken for.
  return { chunks: length === undefined ? chunks : exactly(chunks, length), length, destroy };
}

type Source = Omit<CiphertextBody, "giveOut"> & { readonly length?: number };

function sourceOf(body: unknown): Source {
  if (body === undefined || body === null) {
    throw invalid("Pass the object: { Metadata, Body }, where Body has the stored bytes.");
  }
  if (typeof body === "string") {
    throw invalid("The Body of an encrypted object is bytes, which no text holds: pass a Uint8Array or a stream.");
  }
  if (isNodeStream(body) || isWebStream(body)) {
    takeBody(body);
    const stream = answeredBody({ Body: body as never });
    return { chunks: bytesOnly(stream), destroy: () => destroyStream(stream) };
  }
  const bytes = bytesOf(body);
  if (bytes !== undefined) return { chunks: piecesOf(bytes), length: bytes.length, destroy: NOTHING };
  if (isBlob(body)) return { chunks: piecesOfBlob(body), length: body.size, destroy: NOTHING };
  if (!isAsyncIterable(body)) {
    throw invalid("Body must be bytes, a Blob, a Node Readable, a web ReadableStream or an async iterable of bytes.");
  }
  takeBody(body);
  return { chunks: bytesOnly(body), destroy: NOTHING };
}

async function* bytesOnly(chunks: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const bytes = typeof chunk === "string" ? undefined : bytesOf(chunk);
    if (bytes === undefined) throw invalid("The Body of an encrypted object must yield bytes, not texts or objects.");
    yield bytes;
  }
}
