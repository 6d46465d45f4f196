import type {
  CreateMultipartUploadCommandInput,
  CreateMultipartUploadCommandOutput,
  S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { callOptionsOf } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import { sealObjectInParts } from "../write/seal-object.js";
import { OpenUpload } from "./open-upload.js";
import { type BegunUpload, uploadsOf } from "./open-uploads.js";
import { refuseChecksumsOfWhole } from "./whole-checksums.js";

type Result = { output: CreateMultipartUploadCommandOutput; response: unknown };
type Next = (input: CreateMultipartUploadCommandInput) => Promise<Result>;

/** With what is said of the whole content where it goes in parts. */
type Given = CreateMultipartUploadCommandInput & { readonly ContentLength?: number };

/** Gets the data key of an object in parts, and begins its upload with the envelope in its metadata. */
export async function createMultipartUpload(
  options: ResolvedOptions,
  given: Given,
  next: Next,
  client: S3Client,
): Promise<Result> {
  if (options.allowUnencryptedCommands.has("CreateMultipartUploadCommand")) return next(given);
  const { ContentLength } = given;
  // `Upload` puts the same into the command of each part.
  refuseChecksumsOfWhole(
    given,
    " while its parts are encrypted in any order: leave it out, or use EncryptedUpload, which reads in order.",
  );
  if (ContentLength !== undefined && !(Number.isSafeInteger(ContentLength) && ContentLength >= 0)) {
    throw new S3EncryptionError("invalid-argument", "ContentLength must be a number of bytes, 0 or more.");
  }
  return await uploadsOf(options).beginning(() => begin(options, given, next, client));
}

async function begin(
  options: ResolvedOptions,
  given: Given,
  next: Next,
  client: S3Client,
): Promise<BegunUpload<Result>> {
  const { ContentLength, ...input } = given;
  const object = await sealObjectInParts(options, input, ContentLength);
  if (object === undefined) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "Objects of this format, or of this runtime, are not made of parts that are encrypted one by one: use EncryptedUpload, or PutObjectCommand.",
    );
  }
  const checksums = (await client.config.requestChecksumCalculation()) === "WHEN_SUPPORTED";
  const result = await next({
    ...object.input,
    Bucket: given.Bucket,
    Key: given.Key,
    // Without it, S3 answers no checksums of parts, of which it is told in the end.
    ...(checksums ? { ChecksumAlgorithm: given.ChecksumAlgorithm ?? "CRC32" } : {}),
  });
  const { UploadId } = result.output;
  if (UploadId === undefined) throw new S3EncryptionError("unsupported-operation", "S3 gave the upload no id.");
  const upload = new OpenUpload(object, callOptionsOf(given), ContentLength);
  return { name: { ...given, UploadId }, upload, answer: result };
}
