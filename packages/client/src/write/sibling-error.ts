import type { CopyObjectCommandOutput, DeleteObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";

/** A file beside an object, as a call that failed has left it. */
export interface AffectedFile {
  /** Its own key, in the object's bucket; of an annotation, the object's. */
  readonly key: string;
  /** The annotation's name, where it is none of a file. */
  readonly annotation?: string;
  /** What the call wrote or meant to write; holds a wrapped key only. Absent for a file that it meant to delete. */
  readonly written?: string;
  /** What was there before, where it was read. */
  readonly previous?: string;
}

/** The codes that an `InstructionFileError` may have. */
export type InstructionFileErrorCode = "instruction-file-failed" | "outcome-unknown" | "content-mismatch";

/**
 * A put, copy or deletion after which the object and the files beside it need a look: `instruction-file-failed`,
 * `outcome-unknown`, or `content-mismatch` where the object was replaced meanwhile. `cause` is what S3 said.
 */
export class InstructionFileError extends S3EncryptionError {
  declare readonly code: InstructionFileErrorCode;
  /** The files to look at. */
  readonly files: readonly AffectedFile[];
  /** What S3 answered about the object, where that was copied or deleted and only a file has failed. */
  readonly output: CopyObjectCommandOutput | DeleteObjectCommandOutput | undefined;

  constructor(
    code: InstructionFileErrorCode,
    message: string,
    files: readonly AffectedFile[],
    cause?: unknown,
    output?: CopyObjectCommandOutput | DeleteObjectCommandOutput,
  ) {
    super(code, message, cause === undefined ? undefined : { cause });
    this.name = "InstructionFileError";
    this.files = files;
    this.output = output;
  }
}

export function quoted(keys: readonly string[]): string {
  return keys.map((key) => JSON.stringify(key)).join(", ");
}
