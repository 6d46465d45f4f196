import type {
  CompleteMultipartUploadCommandInput,
  CompleteMultipartUploadCommandOutput,
  HeadObjectCommandOutput,
  S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { callOptionsOf } from "../call-options.js";
import { withoutCiphertextChecksums } from "../ciphertext-checksums.js";
import type { ResolvedOptions } from "../options.js";
import { plainClientOf } from "../plain-client.js";
import { answerOfUpload } from "../transfer/part-sender.js";
import { Attempts, watched } from "../write/attempts.js";
import { requireCompleted } from "../write/confirmed.js";
import { publish } from "../write/publish.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { SiblingStore } from "../write/sibling-store.js";
import type { OpenUpload } from "./open-upload.js";
import { foreignUpload, uploadsOf } from "./open-uploads.js";
import { requireSameCall, sendPart } from "./upload-part.js";
import { refuseChecksumsOfWhole } from "./whole-checksums.js";

type Result = { output: CompleteMultipartUploadCommandOutput; response: unknown };
type Next = (input: CompleteMultipartUploadCommandInput) => Promise<Result>;

/** With what is said of the whole content where it goes in parts. */
type Given = CompleteMultipartUploadCommandInput & { readonly ContentLength?: number };

/**
 * Ends the object with its tag and makes it appear, and puts what is stored beside it. What S3 is told of the parts is our own
 * record: what the caller was told of them is about plaintext, or opaque.
 */
export async function completeMultipartUpload(
  options: ResolvedOptions,
  given: Given,
  next: Next,
  client: S3Client,
): Promise<Result> {
  const uploads = uploadsOf(options);
  const upload = uploads.find(given);
  if (upload === undefined) {
    // Where uploads may be begun without us, they may be ended, too.
    const { allowUnencryptedCommands: allowed } = options;
    const names = ["CompleteMultipartUploadCommand", "CreateMultipartUploadCommand"];
    if (names.some((name) => allowed.has(name))) return next(given);
    throw foreignUpload("CompleteMultipartUploadCommand");
  }
  try {
    const result = await upload.using(() => upload.completing(() => complete(upload, given, next, client)));
    uploads.remove(given);
    return result;
  } catch (error) {
    // The object stands, or stood: what is wrong is beside it.
    if (error instanceof InstructionFileError && error.code !== "outcome-unknown") uploads.remove(given);
    throw error;
  }
}

async function complete(upload: OpenUpload, given: Given, next: Next, client: S3Client): Promise<Result> {
  const call = callOptionsOf(given);
  requireSameCall(upload, call);
  const input = aboutCiphertext(upload, given);
  const parts = upload.complete(given.MultipartUpload?.Parts ?? [], given.UploadId);
  for (const part of parts)
    part.sent ??= await sendPart(client, part.input, part.bytes, upload.until(call.abortSignal));
  const Parts = parts.flatMap(({ sent }) => (sent === undefined ? [] : [sent]));
  const attempts = new Attempts();
  const { siblings } = upload;
  const result = await publish({
    siblings,
    store: new SiblingStore(plainClientOf(client), upload.input, siblings, { signal: call.abortSignal }),
    attempts,
    send: async () => {
      const answered = await next(watched({ ...input, MultipartUpload: { Parts } }, attempts));
      requireCompleted(answered.output, given);
      return answered;
    },
    answerOf: (head: HeadObjectCommandOutput) => ({ output: answerOfUpload(upload, head), response: undefined }),
  });
  return { ...result, output: withoutCiphertextChecksums(result.output) };
}

/** What a caller says of the whole is of plaintext: its length is checked, and replaced; its checksums cannot be. */
function aboutCiphertext(upload: OpenUpload, given: Given): CompleteMultipartUploadCommandInput {
  const { ContentLength, MpuObjectSize, ...input } = given;
  refuseChecksumsOfWhole(input, ", since its parts were encrypted as they came: leave it out.");
  const { plain, stored } = upload.length;
  for (const [name, value] of [
    ["ContentLength", upload.statedLength],
    ["ContentLength", ContentLength],
    ["MpuObjectSize", MpuObjectSize],
  ] as const) {
    if (value === undefined || value === plain) continue;
    throw new S3EncryptionError("content-mismatch", `${name} is ${value}, but the parts have ${plain} bytes.`);
  }
  return MpuObjectSize === undefined ? input : { ...input, MpuObjectSize: stored };
}
