import { S3EncryptionError } from "@s3ec/materials";

/** A file beside an object, as a put that failed has left it. */
export interface AffectedFile {
  readonly key: string;
  /** What the put wrote or meant to write; holds a wrapped key only. Absent for a file that it meant to delete. */
  readonly written?: string;
  /** What was there before, where it was read. */
  readonly previous?: string;
}

/**
 * A put after which the object and the files beside it need a look: `instruction-file-failed`, `outcome-unknown`, or
 * `content-mismatch` where the object was replaced meanwhile. `cause` is what S3 said.
 */
export class InstructionFileError extends S3EncryptionError {
  readonly files: readonly AffectedFile[];

  constructor(
    code: "instruction-file-failed" | "outcome-unknown" | "content-mismatch",
    message: string,
    files: readonly AffectedFile[],
    cause?: unknown,
  ) {
    super(code, message, cause === undefined ? undefined : { cause });
    this.files = files;
  }
}

export function quoted(keys: readonly string[]): string {
  return keys.map((key) => JSON.stringify(key)).join(", ");
}
