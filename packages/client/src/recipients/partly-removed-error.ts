import { S3EncryptionError, type WrapPlace } from "@s3ec/materials";
import { type AffectedFile, InstructionFileError, type InstructionFileErrorCode } from "../write/sibling-error.js";

/** What was removed of a recipient before the rest failed. `cause` is why, such as what S3 said. */
export class PartlyRemovedError extends InstructionFileError {
  /** What was deleted. */
  readonly removed: readonly WrapPlace[];
  /** What was found before, and was not deleted, or is not known to be. */
  readonly remaining: readonly WrapPlace[];

  constructor(
    cause: unknown,
    { removed, remaining }: Pick<PartlyRemovedError, "removed" | "remaining">,
    files: readonly AffectedFile[],
  ) {
    const rest =
      remaining.length === 0 ? "what is left could not be looked at" : `not, or not for certain: ${named(remaining)}`;
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    super(codeOf(cause), `Removed: ${named(removed)}; ${rest}${why}`, files, cause);
    this.name = "PartlyRemovedError";
    this.removed = removed;
    this.remaining = remaining;
  }
}

function codeOf(cause: unknown): InstructionFileErrorCode {
  const code = cause instanceof S3EncryptionError ? cause.code : undefined;
  return code === "content-mismatch" || code === "outcome-unknown" ? code : "instruction-file-failed";
}

function named(places: readonly WrapPlace[]): string {
  return places
    .map((place) => {
      if (place.in === "annotation") return `the annotation ${place.name}`;
      return place.in === "instruction-file" ? `the file at its key plus "${place.suffix}"` : "its metadata";
    })
    .join(", ");
}
