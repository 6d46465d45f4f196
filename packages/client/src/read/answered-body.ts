import type { Readable } from "node:stream";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { can, isNodeStream, isWebStream, NOTHING, quiet, readableOf } from "../streams.js";

/** The stream of what S3 answered, which may fail while nobody reads it. Refuses the answer to a presigned request. */
export function answeredBody(output: { readonly Body?: GetObjectCommandOutput["Body"] | undefined }): Readable {
  if ("presigned" in output) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "A presigned URL of this client would give out ciphertext: make it with presignGet, and decrypt what it answers with openResponse.",
    );
  }
  const body = readableOfAnswer(output.Body);
  quiet(body);
  return body;
}

/** A request handler on `fetch` answers with web streams; each of them can be taken over once. */
const TAKEN_OVER = new WeakMap<object, Readable>();

function readableOfAnswer(body: unknown): Readable {
  if (isNodeStream(body)) return body;
  const known = TAKEN_OVER.get(body as object);
  if (known !== undefined) return known;
  const readable = readableOfWebStream(webStreamOfAnswer(body));
  TAKEN_OVER.set(body as object, readable);
  return readable;
}

function webStreamOfAnswer(body: unknown): ReadableStream<Uint8Array> {
  if (isWebStream(body)) return body;
  // What such a handler makes of an answer without a body.
  if (typeof body === "object" && body !== null && can(body, "stream") && can(body, "arrayBuffer")) {
    return (body as Blob).stream();
  }
  throw new S3EncryptionError("unsupported-operation", "The S3 client must answer with streams to be decrypted.");
}

/** Read by a reader of our own, so that it can be cancelled while it is waited for, and nothing is read ahead. */
function readableOfWebStream(stream: ReadableStream<Uint8Array>): Readable {
  const reader = stream.getReader();
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let next = await reader.read(); next.done !== true; next = await reader.read()) yield next.value;
  };
  return readableOf(chunks(), () => void reader.cancel().catch(NOTHING));
}
