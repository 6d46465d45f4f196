import { AbortMultipartUploadCommand, type S3Client } from "@aws-sdk/client-s3";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { plainClientOf } from "../../plain-client.js";
import { httpStatusOf } from "../../s3-errors.js";
import { NOTHING } from "../../streams.js";
import { StateFile } from "./state-file.js";
import { begunUpload } from "./upload-journal.js";

/**
 * Removes what an unfinished upload has left: its parts in S3, then its state. No key is used.
 *
 * @param state path of the state; of an upload of a file with `resume: true`, the file's with `.s3ec-upload` behind it
 * @throws S3EncryptionError `invalid-argument` where there is no state, `transfer-in-use` while a process is at work on
 *   it; `unsupported-operation` where others could have written it, `content-mismatch` for something else; and S3's own errors
 */
export async function discardUpload(client: S3Client, state: string): Promise<void> {
  const file = await StateFile.open(state);
  try {
    const begun = begunUpload(state, file.first);
    if (begun === undefined) {
      throw new S3EncryptionError(
        "invalid-argument",
        `There is nothing to discard: ${state} is no state of an upload, or is not there.`,
      );
    }
    const { bucket: Bucket, key: Key, uploadId: UploadId } = begun;
    try {
      await plainClientOf(client).send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    } catch (error) {
      const isGone = httpStatusOf(error) === 404 && isError(error) && error.name !== "NoSuchBucket";
      if (!isGone) throw error;
    }
  } catch (error) {
    await file.close(false).catch(NOTHING);
    throw error;
  }
  await file.close(true);
}
