import type {
  CopyObjectCommandInput,
  CopyObjectCommandOutput,
  HeadObjectCommandOutput,
  S3Client,
} from "@aws-sdk/client-s3";
import type { ListedAnnotation } from "../annotations/annotation-store.js";
import { CarriedAnnotations, finishCarrying } from "../moving/carried-annotations.js";
import { requestOf } from "../moving/carried-file.js";
import type { MarkOf } from "../moving/put-back.js";
import { changedMeanwhile } from "../restate/changed-meanwhile.js";
import { AllowedLosses } from "../restate/losses.js";
import { answerOfParts, copyInParts } from "../restate/part-copies.js";
import { lookAt, type StoredAddress, type StoredVersion } from "../restate/seen-object.js";
import { checksumAlgorithmOf, contentHeadersOf, sendableMetadata } from "../restate/stored-headers.js";
import { annotationsToCarry, tagsAlong } from "../restate/taken-along.js";
import { isMissing } from "../s3-errors.js";
import type { Attempts } from "../write/attempts.js";
import { requireSameSource, type SourceInput, sourceAddress, targetAddress } from "./copy-source.js";
import { refuseUnannotatable } from "./others-annotations.js";

/** Which annotations go along: recipients' are for the readers of the source. */
type AnnotationsAlong = "all" | "others" | "none";

/** A copy to another place that is too large for one request. */
export interface LargeCopyOptions {
  /** As one request would say it. */
  readonly input: CopyObjectCommandInput;
  readonly source: SourceInput;
  /** The source, as it was seen. */
  readonly head: HeadObjectCommandOutput;
  /** Which of its annotations go along. */
  readonly annotations: AnnotationsAlong;
  readonly partLength: number | undefined;
  /** What an object's metadata alone has. */
  readonly markOf: MarkOf;
  readonly abortSignal: AbortSignal | undefined;
}

/** Copies an object in parts to where it has not been, with all that S3 would take along in one request. */
export class LargeCopy {
  readonly #client: S3Client;
  readonly #options: LargeCopyOptions;
  readonly #again: SaidAgain;
  readonly #target: StoredAddress;
  readonly #carried: CarriedAnnotations;

  private constructor(
    client: S3Client,
    options: LargeCopyOptions,
    { again, target, carried }: { again: SaidAgain; target: StoredAddress; carried: CarriedAnnotations },
  ) {
    this.#client = client;
    this.#options = options;
    this.#again = again;
    this.#target = target;
    this.#carried = carried;
  }

  /**
   * Reads what goes along, before anything is written, and ends what a copy to the same place has left that broke off.
   *
   * @param client one that does not encrypt
   * @throws S3EncryptionError `unsupported-operation` for annotations that cannot be carried over
   */
  static async of(client: S3Client, options: LargeCopyOptions): Promise<LargeCopy> {
    const { input, source, abortSignal, markOf } = options;
    const from = sourceAddress(source);
    const again = await saidAgain(client, { ...options, from });
    const target = targetAddress(input);
    const { annotations = [], losses } = again;
    if (annotations.length > 0) refuseUnannotatable(target);
    const left = await finishCarrying(client, target, markOf, abortSignal);
    const carrying = { from, to: target, annotations, encryption: input, losses };
    const carried = await CarriedAnnotations.read(client, carrying, abortSignal, left);
    return new LargeCopy(client, options, { again, target, carried });
  }

  /** @param conditions those that the copy has on its source and target */
  async send(conditioned: CopyObjectCommandInput, attempts: Attempts): Promise<CopyObjectCommandOutput> {
    const { head, source, partLength, abortSignal, markOf } = this.#options;
    const input = { ...conditioned, ...this.#again.again };
    const { IfMatch, IfNoneMatch } = input;
    const request = requestOf(abortSignal);
    const beforeComplete = async (): Promise<void> => {
      await requireSameSource(this.#client, source, head, request);
      await requireSameTags(this.#client, { ...this.#options, from: sourceAddress(source) }, this.#again);
      await this.#requireSameAnnotations();
      await this.#carried.setAside(await this.#before(), markOf(head.Metadata));
    };
    const conditions = { IfMatch, IfNoneMatch };
    const parts = { input, head, partLength, conditions, attempts, beforeComplete, abortSignal };
    return answerOfParts(await copyInParts(this.#client, parts));
  }

  async #requireSameAnnotations(): Promise<void> {
    const { source, annotations: which, abortSignal } = this.#options;
    const { annotations, losses } = this.#again;
    if (which === "none") return;
    const now = await annotationsToCarry(this.#client, sourceAddress(source), losses, requestOf(abortSignal), which);
    if (JSON.stringify(now) !== JSON.stringify(annotations)) throw changedMeanwhile();
  }

  /** What is over where the copy appears. */
  async #before(): Promise<HeadObjectCommandOutput | undefined> {
    try {
      return (await lookAt(this.#client, this.#target, requestOf(this.#options.abortSignal))).head;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Gives the copy its annotations, once it stands. */
  async putBack(etag: string): Promise<void> {
    await this.#carried.putBack(etag, this.#options.markOf);
  }

  /** Nothing was written. */
  async drop(): Promise<void> {
    await this.#carried.drop().catch(() => {});
  }
}

/** What a copy in one request takes along by itself. */
export interface SaidAgain {
  /** Said for one in parts. */
  readonly again: Partial<CopyObjectCommandInput>;
  /** To be carried over; undefined where the caller wants none of them. */
  readonly annotations: readonly ListedAnnotation[] | undefined;
  readonly losses: AllowedLosses;
}

/** Of a copy in one request. */
export const NOTHING_AGAIN: SaidAgain = { again: {}, annotations: undefined, losses: new AllowedLosses() };

/** What `saidAgain` needs. */
type ToSayAgain = Pick<LargeCopyOptions, "input" | "head" | "annotations" | "abortSignal"> & {
  readonly from: StoredVersion;
};

/** Throws `content-mismatch` where the object has other tags by now than those that were said again: they would be lost. */
export async function requireSameTags(
  client: S3Client,
  { input, from, abortSignal }: ToSayAgain,
  { again, losses }: SaidAgain,
): Promise<void> {
  if (input.TaggingDirective === "REPLACE") return;
  const { Tagging } = await tagsAlong(client, from, losses, requestOf(abortSignal));
  if (Tagging !== again.Tagging) throw changedMeanwhile();
}

/** What a copy in one request takes along by itself, for one in parts. */
export async function saidAgain(
  client: S3Client,
  { input, from, head, annotations: which, abortSignal }: ToSayAgain,
): Promise<SaidAgain> {
  const losses = AllowedLosses.ofCopy();
  const request = requestOf(abortSignal);
  const annotations = which === "none" ? undefined : await annotationsToCarry(client, from, losses, request, which);
  const ChecksumAlgorithm = input.ChecksumAlgorithm ?? checksumAlgorithmOf(head);
  const described =
    input.MetadataDirective === "REPLACE"
      ? {}
      : { ...contentHeadersOf(head, losses), Metadata: { ...sendableMetadata(head, losses) } };
  const again = {
    ...described,
    ...(ChecksumAlgorithm === undefined ? {} : { ChecksumAlgorithm }),
    ...(input.TaggingDirective === "REPLACE" ? {} : await tagsAlong(client, from, losses, request)),
  };
  return { again, annotations, losses };
}
