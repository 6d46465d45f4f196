import { isUint8Array } from "node:util/types";
import type {
  CompleteMultipartUploadCommandOutput,
  PutObjectCommandInput,
  PutObjectCommandOutput,
  S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { callOptionsOf } from "../call-options.js";
import { withoutCiphertextChecksums } from "../ciphertext-checksums.js";
import type { ResolvedOptions } from "../options.js";
import { plainClientOf } from "../plain-client.js";
import { unlessAborted } from "../request-aborted.js";
import { quiet, readableOf, sendsNodeStreams } from "../streams.js";
import { answerOfPut } from "./answer-of-put.js";
import { Attempts, watched } from "./attempts.js";
import { chunksOf, readHead } from "./ciphertext-head.js";
import { requireStored } from "./confirmed.js";
import { publish } from "./publish.js";
import { type ObjectToStore, sealBody } from "./seal-object.js";
import { piecesToSend } from "./sent-body.js";
import { SiblingStore } from "./sibling-store.js";

/** S3's limit for one request. */
const MAX_PUT_LENGTH = 5 * 1024 ** 3;

type Result = { output: PutObjectCommandOutput; response: unknown };
type Next = (input: PutObjectCommandInput) => Promise<Result>;

/**
 * Encrypts a `PutObjectCommand` and sends it, with what is stored beside it.
 *
 * @param client the one that sends it
 * @param beforeComplete asked, where it is sent in parts, before they become an object: throws where that must not be.
 *   It is given the object's metadata
 * @param beforeSending given the object, before anything of it or beside it is sent
 */
export async function putObject(
  options: ResolvedOptions,
  given: PutObjectCommandInput,
  next: Next,
  client: S3Client,
  beforeComplete?: (metadata: Readonly<Record<string, string>>) => Promise<void>,
  beforeSending?: (object: ObjectToStore) => Promise<void>,
): Promise<Result> {
  const sealed = await sealBody(options, given);
  try {
    await beforeSending?.(sealed);
    const { abortSignal } = callOptionsOf(given);
    // Reading a body has no end of its own when its source stalls.
    const head = await unlessAborted(() => readHead(sealed), abortSignal);
    const isWhole = head.whole !== undefined;
    let wasRead = isWhole;
    const ciphertext = chunksOf(head, sealed, () => {
      wasRead = true;
    });
    const tooLarge = !isWhole && (sealed.length ?? Number.POSITIVE_INFINITY) > MAX_PUT_LENGTH;
    // In parts, files that have to go first can wait until the whole body went well; and each is bytes, which any handler sends.
    if (tooLarge || (!isWhole && (sealed.siblings.first || !sendsNodeStreams(client)))) {
      const { sendObject } = await import("../transfer/send-object.js");
      const { streamToSend } = await import("../transfer/stream-parts.js");
      const object = streamToSend(
        { ...sealed, ciphertext },
        { beforeComplete: async () => await beforeComplete?.(sealed.input.Metadata ?? {}) },
      );
      const stored = await sendObject(plainClientOf(client), object, { signal: abortSignal });
      return { output: outputOfPut(stored), response: undefined };
    }
    const body = head.whole ?? readableOf(piecesToSend(ciphertext), sealed.destroy);
    const length = head.whole?.length ?? sealed.length;
    // It may fail before it is sent; whoever sends it is told by reading it.
    quiet(body);
    const attempts = new Attempts(() => wasRead);
    const object = watched({ ...sealed.input, Body: body, ContentLength: length }, attempts);
    const result = await publish({
      siblings: sealed.siblings,
      store: new SiblingStore(plainClientOf(client), sealed.input, sealed.siblings, { signal: abortSignal }),
      attempts,
      send: async () => {
        const answered = notPresigned(await next(object));
        try {
          requireStored(answered.output, wasRead && attempts.wasWritten);
        } catch (error) {
          // What has not been sent by now is not to arrive behind the look at what stands.
          attempts.endUnwritten();
          if (!isUint8Array(body)) body.destroy(error as Error);
          throw error;
        }
        return answered;
      },
      answerOf: (stored) => ({ output: answerOfPut(stored), response: undefined }),
    });
    return { ...result, output: withoutCiphertextChecksums(result.output) };
  } finally {
    // Not awaited: a source that yields nothing any more would keep the answer from its caller.
    sealed.destroy();
    sealed.ciphertext.return(undefined).catch(() => {});
  }
}

/** A presigned put would let its holder store plaintext under an encrypted object's metadata. */
function notPresigned(result: Result): Result {
  if ("presigned" in result.output) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "An encrypted put cannot be presigned: whoever holds the URL would store plaintext. Send the command instead.",
    );
  }
  return result;
}

/** What a `PutObjectCommand` would have answered, from what the completion of several requests did. */
function outputOfPut(output: CompleteMultipartUploadCommandOutput): PutObjectCommandOutput {
  const { Bucket, Key, Location, ...rest } = output;
  return withoutCiphertextChecksums(rest);
}
