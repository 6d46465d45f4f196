import type { AbortMultipartUploadCommandInput, ServiceOutputTypes } from "@aws-sdk/client-s3";
import { carriesCallOptions } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import { uploadsOf } from "./open-uploads.js";

/** Forgets the upload's key first, and ends what waits for it; of whoever's upload it is, S3 is asked to remove the parts. */
export async function abortMultipartUpload<Result extends { output: ServiceOutputTypes }>(
  options: ResolvedOptions,
  given: AbortMultipartUploadCommandInput,
  next: (input: AbortMultipartUploadCommandInput) => Promise<Result>,
): Promise<Result> {
  // What is presigned is sent by somebody else, or never.
  if (carriesCallOptions(given)) uploadsOf(options).remove(given);
  return next(given);
}
