import { Readable } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { isNodeStream, isWebStream, quiet } from "../streams.js";

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
  if (!isWebStream(body)) {
    throw new S3EncryptionError("unsupported-operation", "The S3 client must answer with streams to be decrypted.");
  }
  const readable = TAKEN_OVER.get(body) ?? Readable.fromWeb(body as WebStream);
  TAKEN_OVER.set(body, readable);
  return readable;
}
