import { Readable } from "node:stream";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { quiet } from "../streams.js";

/** The stream of what S3 answered, which may fail while nobody reads it. Refuses the answer to a presigned request. */
export function answeredBody(output: GetObjectCommandOutput): Readable {
  if ("presigned" in output) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "A presigned URL of this client would give out ciphertext: presign with a plain S3Client, and decrypt with the encryption client.",
    );
  }
  const { Body } = output;
  if (!(Body instanceof Readable)) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "The S3 client must answer with Node streams to be decrypted.",
    );
  }
  quiet(Body);
  return Body;
}
