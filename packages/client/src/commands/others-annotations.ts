import type { CopyObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { whyNotAnnotatable } from "../annotations/annotatable.js";
import { hasAnnotationCommands } from "../annotations/annotation-commands.js";
import { CarriedAnnotations } from "../moving/carried-annotations.js";
import type { MarkOf } from "../moving/put-back.js";
import { AllowedLosses } from "../restate/losses.js";
import type { StoredAddress } from "../restate/seen-object.js";
import { annotationsToCarry } from "../restate/taken-along.js";
import { InstructionFileError } from "../write/sibling-error.js";
import { type SourceInput, sourceAddress, targetAddress } from "./copy-source.js";

/**
 * Annotations of others, for a copy in one request that S3 is to give none: recipients' among them would be for the source's
 * readers. They are read before the copy is made, and put to it.
 */
export class OthersAnnotations {
  readonly #carried: CarriedAnnotations;
  readonly #markOf: MarkOf;

  private constructor(carried: CarriedAnnotations, markOf: MarkOf) {
    this.#carried = carried;
    this.#markOf = markOf;
  }

  /**
   * @param input the copy, as the caller says it
   * @throws S3EncryptionError `unsupported-operation` for annotations that may not be read, or that the target can have none of
   */
  static async read(
    client: S3Client,
    input: CopyObjectCommandInput,
    source: SourceInput,
    markOf: MarkOf,
    abortSignal: AbortSignal | undefined,
  ): Promise<OthersAnnotations | undefined> {
    const from = sourceAddress(source);
    if (whyNotAnnotatable(from) !== undefined) return undefined;
    await requireDirective();
    if (input.AnnotationDirective === "EXCLUDE") return undefined;
    const losses = new AllowedLosses();
    const request = abortSignal === undefined ? {} : { abortSignal };
    const annotations = await annotationsToCarry(client, from, losses, request, "others");
    if (annotations.length === 0) return undefined;
    const to = targetAddress(input);
    refuseUnannotatable(to);
    const carrying = { from, to, annotations, encryption: input, losses };
    return new OthersAnnotations(await CarriedAnnotations.read(client, carrying, abortSignal), markOf);
  }

  /** @throws InstructionFileError `instruction-file-failed`, with their texts */
  async putBack(etag: string): Promise<void> {
    try {
      await this.#carried.putBack(etag, this.#markOf);
    } catch (error) {
      if (!(error instanceof InstructionFileError)) throw error;
      const names = error.files.map(({ annotation }) => JSON.stringify(annotation)).join(", ");
      throw new InstructionFileError(
        error.code,
        `The copy is stored, but annotations of others may be missing: ${names}. Copy it again, and allow s3:ListObjectAnnotations and s3:PutObjectAnnotation on it.${isError(error.cause) ? ` ${error.cause.message}` : ""}`,
        error.files,
        error.cause,
      );
    }
  }
}

/** Throws where the target has none. */
export function refuseUnannotatable(to: StoredAddress): void {
  const why = whyNotAnnotatable(to);
  if (why === undefined) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    `Nothing was written: ${why}, and the object has some: AnnotationDirective EXCLUDE leaves them out.`,
  );
}

/** A release of the SDK that does not know the directive leaves it out. */
async function requireDirective(): Promise<void> {
  if (await hasAnnotationCommands()) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    "Nothing was written: S3 would give the copy the recipients of the source, which this release of @aws-sdk/client-s3 cannot say no to: install a newer one, which has AnnotationDirective.",
  );
}
