import type {
  CopyObjectCommandInput,
  CopyObjectCommandOutput,
  HeadObjectCommandOutput,
  S3Client,
} from "@aws-sdk/client-s3";
import { changedMeanwhile, isAnother } from "../restate/changed-meanwhile.js";
import { AllowedLosses } from "../restate/losses.js";
import { answerOfParts, copyInParts } from "../restate/part-copies.js";
import type { StoredAddress } from "../restate/seen-object.js";
import { checksumAlgorithmOf, contentHeadersOf, sendableMetadata } from "../restate/stored-headers.js";
import { takenAlong } from "../restate/taken-along.js";
import type { Attempts } from "../write/attempts.js";
import { headOfSource, type SourceInput } from "./copy-source.js";

/** A copy to another place that is too large for one request. */
export interface LargeCopy {
  /** As one request would say it. */
  readonly input: CopyObjectCommandInput;
  readonly source: SourceInput;
  /** The source, as it was seen. */
  readonly head: HeadObjectCommandOutput;
  readonly partLength: number | undefined;
  readonly attempts: Attempts;
  readonly abortSignal: AbortSignal | undefined;
}

/**
 * Copies an object in parts to where it has not been, with all that S3 would take along in one request.
 *
 * @param client one that does not encrypt
 */
export async function copyLarge(client: S3Client, copy: LargeCopy): Promise<CopyObjectCommandOutput> {
  const { source, head, partLength, attempts, abortSignal } = copy;
  const request = abortSignal === undefined ? {} : { abortSignal };
  const { Bucket = "", ...named } = source;
  const along = await saidAgain(client, copy.input, { Bucket, ...named }, head, abortSignal);
  const input = { ...copy.input, ...along };
  const { IfMatch, IfNoneMatch } = input;
  const beforeComplete = async (): Promise<void> => {
    // Its tag holds the content only.
    if (isAnother(head, await headOfSource(client, source, {}, request))) throw changedMeanwhile();
  };
  const conditions = { IfMatch, IfNoneMatch };
  return answerOfParts(
    await copyInParts(client, { input, head, partLength, conditions, attempts, beforeComplete, abortSignal }),
  );
}

/** What a copy in one request takes along by itself, said for one in parts. */
export async function saidAgain(
  client: S3Client,
  input: CopyObjectCommandInput,
  object: StoredAddress & { readonly VersionId?: string | undefined },
  head: HeadObjectCommandOutput,
  abortSignal: AbortSignal | undefined,
): Promise<Partial<CopyObjectCommandInput>> {
  const losses = new AllowedLosses(input.AnnotationDirective === "EXCLUDE" ? ["annotations"] : []);
  const along = await takenAlong(client, object, losses, abortSignal === undefined ? {} : { abortSignal });
  const ChecksumAlgorithm = input.ChecksumAlgorithm ?? checksumAlgorithmOf(head);
  const described =
    input.MetadataDirective === "REPLACE"
      ? {}
      : { ...contentHeadersOf(head, losses), Metadata: { ...sendableMetadata(head, losses) } };
  return {
    ...described,
    ...(ChecksumAlgorithm === undefined ? {} : { ChecksumAlgorithm }),
    ...(input.TaggingDirective === "REPLACE" ? {} : along),
  };
}
