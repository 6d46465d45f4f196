import { S3EncryptionError } from "@s3ec/materials";

/**
 * A file that changed while it was uploaded: nothing was stored. Code `content-mismatch`. What was encrypted of it was a mix
 * of two contents, and encrypting the other one under the same key would give both away (S18).
 */
export class FileChangedError extends S3EncryptionError {
  declare readonly code: "content-mismatch";
  /** Of the file, as the upload was given it. */
  readonly path: string;

  constructor(path: string, cause?: unknown) {
    super(
      "content-mismatch",
      `${path} changed while it was uploaded. Nothing was stored; upload it again when nobody writes to it.`,
      cause === undefined ? undefined : { cause },
    );
    this.name = "FileChangedError";
    this.path = path;
  }
}
