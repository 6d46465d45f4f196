import type { CopyObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { whyNotAnnotatable } from "../annotations/annotatable.js";
import { hasAnnotationCommands } from "../annotations/annotation-commands.js";
import type { ListedAnnotation } from "../annotations/annotation-store.js";
import { CarriedAnnotations } from "../moving/carried-annotations.js";
import type { MarkOf } from "../moving/put-back.js";
import { changedMeanwhile } from "../restate/changed-meanwhile.js";
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
  readonly #list: () => Promise<readonly ListedAnnotation[]>;
  readonly #listed: readonly ListedAnnotation[];

  private constructor(
    carried: CarriedAnnotations,
    markOf: MarkOf,
    list: () => Promise<readonly ListedAnnotation[]>,
    listed: readonly ListedAnnotation[],
  ) {
    this.#carried = carried;
    this.#markOf = markOf;
    this.#list = list;
    this.#listed = listed;
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
    const losses = AllowedLosses.ofCopy();
    const request = abortSignal === undefined ? {} : { abortSignal };
    const list = () => annotationsToCarry(client, from, losses, request, "others");
    const annotations = await list();
    const to = targetAddress(input);
    if (annotations.length > 0) refuseUnannotatable(to);
    const carrying = { from, to, annotations, encryption: input, losses };
    const carried = await CarriedAnnotations.read(client, carrying, abortSignal);
    return new OthersAnnotations(carried, markOf, list, annotations);
  }

  /**
   * Looks again, just before the copy is made: a move deletes its source after it, with what the copy was not given.
   *
   * @throws S3EncryptionError `content-mismatch` where they are others by now
   */
  async requireUnchanged(): Promise<void> {
    if (JSON.stringify(await this.#list()) !== JSON.stringify(this.#listed)) throw changedMeanwhile();
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
