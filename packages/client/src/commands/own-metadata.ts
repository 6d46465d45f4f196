import type {
  CopyObjectCommandInput,
  CopyObjectCommandOutput,
  HeadObjectCommandOutput,
  S3Client,
} from "@aws-sdk/client-s3";
import type { CallOptions } from "../call-options.js";
import { siblingRules } from "../files-beside.js";
import { finishCarrying } from "../moving/carried-annotations.js";
import type { MarkOf } from "../moving/put-back.js";
import type { ResolvedOptions } from "../options.js";
import { changedMeanwhile, isAnother } from "../restate/changed-meanwhile.js";
import type { KeepOptions } from "../restate/kept-object.js";
import { sendOwnCopy, targetOf } from "../restate/own-copy.js";
import { isLarge } from "../restate/part-copies.js";
import { lookAt, type StoredAddress } from "../restate/seen-object.js";
import { settled } from "../restate/settled.js";
import { watched } from "../write/attempts.js";
import { answerOfCopy } from "./copy-answer.js";
import type { SourceInput } from "./copy-source.js";
import { NOTHING_AGAIN, requireSameTags, saidAgain } from "./large-copy.js";
import type { Copied } from "./read-source.js";
import { replacedMetadata } from "./replaced-metadata.js";

type Result = { output: CopyObjectCommandOutput; response: unknown };

/** An object whose metadata is to be replaced where it stands, as it was found. */
export interface OwnSource {
  readonly source: SourceInput;
  readonly copied: Copied;
}

/**
 * Replaces the metadata of an object where it stands: the envelope goes along, so that the copy is bound to the object that it
 * was read of, by time as well, since an entity tag does not see metadata. The files beside it stay as they are.
 *
 * @param client one that does not encrypt
 */
export async function replaceOwnMetadata(
  options: ResolvedOptions,
  { abortSignal }: CallOptions,
  input: CopyObjectCommandInput,
  { source, copied }: OwnSource,
  client: S3Client,
  next: (input: CopyObjectCommandInput) => Promise<Result>,
  limits: Pick<KeepOptions, "copyLimit">,
): Promise<Result> {
  const { Bucket = "", Key, ExpectedBucketOwner, RequestPayer } = source;
  const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = source;
  const customerKey = { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
  const address: StoredAddress = { Bucket, Key, ExpectedBucketOwner, RequestPayer, ...customerKey };
  const seen = await settled(client, address, { abortSignal });
  if (isAnother(copied.head, seen.head)) throw changedMeanwhile();
  const Metadata = replacedMetadata(options, input, seen.head);
  const markOf: MarkOf = (metadata = {}) => siblingRules(options).kindOf(metadata).mark;
  const large = isLarge(seen.head, limits);
  if (large) await finishCarrying(client, address, markOf, abortSignal);
  const which = input.AnnotationDirective === "EXCLUDE" ? "none" : "all";
  const toSay = { input, from: address, head: seen.head, annotations: which, abortSignal } as const;
  const said = large ? await saidAgain(client, toSay) : NOTHING_AGAIN;
  const { annotations, losses, again } = said;
  const described = { ...withoutOurs(input, seen.head), ...again, Metadata };
  const along = { annotations, losses, markOf };
  const copy = {
    address,
    seen,
    input: described,
    along,
    own: sentAsItIs(Metadata),
    partLength: limits.copyLimit,
    beforeComplete: () => requireSameTags(client, toSay, said),
  };
  let result: Result | undefined;
  const output = await sendOwnCopy(client, copy, { ...limits, abortSignal }, async (sent, attempts) => {
    result = await next(watched(sent, attempts));
    return result.output;
  });
  if (output !== undefined) return result ?? { output, response: undefined };
  const { head } = await lookAt(client, targetOf(copy));
  return { output: answerOfCopy(head), response: undefined };
}

/**
 * The caller's conditions on the source were asked by HEAD: beside ours they would switch one off. One on the target stays
 * where ours would be weaker.
 */
function withoutOurs(input: CopyObjectCommandInput, { ETag }: HeadObjectCommandOutput): CopyObjectCommandInput {
  const { CopySource, CopySourceIfMatch, CopySourceIfUnmodifiedSince, IfMatch, ...rest } = input;
  const isStronger = IfMatch !== undefined && IfMatch !== "*" && IfMatch !== ETag;
  return { CopySource, ...rest, ...(isStronger ? { IfMatch } : {}) };
}

/** S3 may answer with other letters for the same text where that has encoded words, or white space around it. */
function sentAsItIs(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).filter(([, value]) => value === value.trim() && !value.includes("=?")),
  );
}
