import {
  type CompleteMultipartUploadCommandOutput,
  PutObjectCommand,
  type PutObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { answerOfPut } from "../write/answer-of-put.js";
import { Attempts, watched } from "../write/attempts.js";
import { requireStored } from "../write/confirmed.js";
import { publish } from "../write/publish.js";
import { SiblingStore } from "../write/sibling-store.js";
import { bodyOf, type ObjectToSend, type Part } from "./parts-to-send.js";
import { retried } from "./retried.js";

/** Stores an object of one part in one request, and answers as if it had been several. */
export async function putWhole(
  client: S3Client,
  object: ObjectToSend,
  part: Part,
  abortSignal: AbortSignal,
): Promise<CompleteMultipartUploadCommandOutput> {
  const { input, siblings, telemetry } = object;
  let isSentWhole = false;
  const attempts = new Attempts(() => isSentWhole);
  let Location: string | undefined;
  const output = await publish<PutObjectCommandOutput>({
    siblings,
    store: new SiblingStore(client, input, siblings, { signal: abortSignal }),
    attempts,
    send: async () => {
      const answered = await retried(
        client,
        telemetry,
        abortSignal,
        () => {
          isSentWhole = false;
          return bodyOf(part, async () => {
            // Whoever reads a file once only has the file's own word for it.
            await object.assertUnchanged();
            isSentWhole = true;
          });
        },
        (Body) => {
          const command = new PutObjectCommand(watched({ ...input, Body, ContentLength: part.length }, attempts));
          command.middlewareStack.add(
            (next) => async (args) => {
              Location = locationOf(args.request);
              return next(args);
            },
            { step: "finalizeRequest", name: "s3EncryptionLocation" },
          );
          return client.send(command, { abortSignal });
        },
      );
      requireStored(answered, isSentWhole);
      return answered;
    },
    answerOf: answerOfPut,
  });
  return { ...output, Bucket: input.Bucket, Key: input.Key, ...(Location === undefined ? {} : { Location }) };
}

/** Where a request went, as a completion answers it. */
function locationOf(request: unknown): string | undefined {
  if (typeof request !== "object" || request === null) return undefined;
  const { protocol, hostname, port, path } = request as Record<string, unknown>;
  return `${protocol}//${hostname}${port === undefined || port === null ? "" : `:${port}`}${path}`;
}
