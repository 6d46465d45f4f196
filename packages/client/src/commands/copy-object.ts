import type {
  CopyObjectCommandInput,
  CopyObjectCommandOutput,
  PutObjectCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import { refuseAnnotations } from "../annotations/annotatable.js";
import { callOptionsOf } from "../call-options.js";
import { knownSuffixes, siblingRules } from "../files-beside.js";
import type { MarkOf } from "../moving/put-back.js";
import type { ResolvedOptions } from "../options.js";
import { plainClientOf } from "../plain-client.js";
import { unlessAborted } from "../request-aborted.js";
import type { KeepOptions } from "../restate/kept-object.js";
import { isLarge } from "../restate/part-copies.js";
import { Attempts, watched } from "../write/attempts.js";
import { envelopesMetadata } from "../write/callers-metadata.js";
import { requireCopied } from "../write/confirmed.js";
import { refuseImpossibleKeys } from "../write/metadata-limits.js";
import { publish } from "../write/publish.js";
import { InstructionFileError } from "../write/sibling-error.js";
import type { SiblingsToPut } from "../write/sibling-files.js";
import { SiblingStore } from "../write/sibling-store.js";
import { answerOfCopy } from "./copy-answer.js";
import { pinOf, refuseUnpinned, requireSameSource, type SourceInput, sourceOf } from "./copy-source.js";
import { LargeCopy } from "./large-copy.js";
import { OthersAnnotations } from "./others-annotations.js";
import { replaceOwnMetadata } from "./own-metadata.js";
import { type Copied, readSource } from "./read-source.js";
import { replacedMetadata } from "./replaced-metadata.js";
import { rewrappedCopy } from "./rewrapped-copy.js";
import { refuseShadowed } from "./shadowed-copy.js";
import { refuseTwoNames } from "./two-names.js";

type Result = { output: CopyObjectCommandOutput; response: unknown };
type Next = (input: CopyObjectCommandInput) => Promise<Result>;

/**
 * Copies an encrypted object with its envelope, whether its metadata is copied or replaced, and with its instruction files, as
 * a put of the object over what is at the target. The files are read before the object is looked at, and the copy is of that object and
 * no other.
 */
export async function copyObject(
  options: ResolvedOptions,
  input: CopyObjectCommandInput,
  next: Next,
  client: S3Client,
  limits: Pick<KeepOptions, "copyLimit"> = {},
): Promise<Result> {
  const call = callOptionsOf(input);
  const plain = plainClientOf(client);
  const source = sourceOf(input);
  // Keys may be asked for whose file it is.
  const copied = await unlessAborted(() => readSource(options, call, input, source, plain), call.abortSignal);
  if (input.MetadataDirective === "REPLACE" && isOntoItself(input, source)) {
    return await replaceOwnMetadata(options, call, input, { source, copied }, plain, next, limits);
  }
  const { abortSignal } = call;
  const request = abortSignal === undefined ? {} : { abortSignal };
  await refuseTwoNames(plain, input, source, copied.head, request);
  const rewrapped = await rewrappedCopy(plain, options, call, input, source, copied);
  const described = rewrapped?.input ?? replaced(options, input, copied);
  refuseUnpinnedEnvelope(options, described, source, copied);
  const siblings = rewrapped?.siblings ?? siblingsOf(options, input, copied);
  refuseImpossibleKeys(input.Key, siblings.files);
  refuseAnnotations(siblings.annotations ?? [], input);
  const target = targetOf(input, copied);
  const store = new SiblingStore(plain, target, siblings, { signal: call.abortSignal });
  if (!copied.kind.standsAlone) await refuseShadowed(options, store, copied.head.Metadata ?? {}, copied.files);
  const attempts = new Attempts();
  let result: Result | undefined;
  let isPublished = false;
  const { head } = copied;
  const markOf: MarkOf = (metadata = {}) => siblingRules(options).kindOf(metadata).mark;
  const isExcluding = input.AnnotationDirective === "EXCLUDE";
  const annotations = isExcluding ? "none" : rewrapped === undefined ? "all" : "others";
  const large = {
    input: described,
    source,
    head,
    annotations,
    partLength: limits.copyLimit,
    markOf,
    abortSignal,
  } as const;
  const inParts = isLarge(head, limits) ? await LargeCopy.of(plain, large) : undefined;
  const others =
    inParts === undefined && rewrapped !== undefined
      ? await OthersAnnotations.read(plain, input, source, markOf, abortSignal)
      : undefined;
  const along = inParts ?? others;
  try {
    const done = await publish<Result>({
      store,
      siblings,
      attempts,
      send: async () => {
        await others?.requireUnchanged();
        // In parts, both are asked just before they are completed.
        if (rewrapped !== undefined && inParts === undefined) await requireSameSource(plain, source, head, request);
        const conditioned = { ...described, ...conditionsOf(input, source, copied) };
        const answered =
          inParts === undefined
            ? await next(watched(conditioned, attempts))
            : { output: await inParts.send(conditioned, attempts), response: undefined };
        requireCopied(answered.output);
        result = answered;
        return result;
      },
      answerOf: (standing) => {
        result = { output: answerOfCopy(standing), response: undefined };
        return result;
      },
      markOf: ({ output }) => output.CopyObjectResult?.ETag,
    });
    isPublished = true;
    await along?.putBack(done.output.CopyObjectResult?.ETag ?? "");
    return done;
  } catch (error) {
    if (result === undefined && attempts.wereRefused) await inParts?.drop();
    // Whatever became of its files, it stands; what fails here is left beside it, and told of by the next call.
    if (result !== undefined && !isPublished) {
      await along?.putBack(result.output.CopyObjectResult?.ETag ?? "").catch(() => {});
    }
    if (!(error instanceof InstructionFileError) || result === undefined) throw error;
    throw new InstructionFileError(error.code, error.message, error.files, error.cause, result.output);
  }
}

function replaced(options: ResolvedOptions, input: CopyObjectCommandInput, { head }: Copied): CopyObjectCommandInput {
  return input.MetadataDirective === "REPLACE" ? { ...input, Metadata: replacedMetadata(options, input, head) } : input;
}

/**
 * What is copied is what was looked at; the caller's own conditions on the source were asked by then, and none that is
 * left can switch this one off. Onto itself, also what is replaced: S3 looks at the source at the beginning only.
 */
function conditionsOf(
  input: CopyObjectCommandInput,
  source: SourceInput,
  { head }: Copied,
): Pick<CopyObjectCommandInput, "CopySourceIfMatch" | "IfMatch"> {
  const { CopySourceIfMatch } = pinOf(head);
  if (CopySourceIfMatch === undefined) return {};
  const isFree = input.IfNoneMatch === undefined && (input.IfMatch === undefined || input.IfMatch === "*");
  return { CopySourceIfMatch, ...(isOntoItself(input, source) && isFree ? { IfMatch: CopySourceIfMatch } : {}) };
}

/** What says an envelope again has to be a copy of the content that it was read with, and of none that came later. */
function refuseUnpinnedEnvelope(
  options: ResolvedOptions,
  { MetadataDirective }: CopyObjectCommandInput,
  source: SourceInput,
  { head }: Copied,
): void {
  if (MetadataDirective !== "REPLACE") return;
  if (Object.keys(envelopesMetadata(options, head.Metadata ?? {})).length > 0) refuseUnpinned(source, head);
}

function isOntoItself(input: CopyObjectCommandInput, { Bucket, Key, VersionId }: SourceInput): boolean {
  return Bucket === input.Bucket && Key === input.Key && VersionId === undefined;
}

function siblingsOf(
  options: ResolvedOptions,
  input: CopyObjectCommandInput,
  { kind: { mark, standsAlone }, files }: Copied,
): SiblingsToPut {
  const rules = siblingRules(options);
  const mayHaveFiles = (options.materialsManager.instructionFileSuffixes ?? []).length > 0;
  const own = files.map(({ suffix }) => suffix);
  return {
    verb: "Copy",
    files,
    first: files.length > 0 && !standsAlone,
    mark,
    // As for a put: without any, nothing says that there was one.
    suffixes: files.length > 0 || mayHaveFiles ? [...new Set([...knownSuffixes(options, input), ...own])] : [],
    replaceUnknown: rules.replaceUnknown,
    // Of an object with nothing on it, the tag that the copy was answered with.
    markOf: ({ Metadata = {}, ETag }) => rules.kindOf(Metadata).mark ?? (mark === undefined ? ETag : undefined),
    fileMarkOf: (metadata) => rules.fileMarkOf(metadata),
    isFile: (file, metadata) => rules.isFile(file, metadata),
    standsAlone: (metadata) => rules.kindOf(metadata).standsAlone,
  };
}

/** The copy as a put, whose owner, encryption and storage its files share. */
function targetOf(input: CopyObjectCommandInput, { tagging }: Copied): PutObjectCommandInput {
  const { CopySource, CopySourceSSECustomerKey, Metadata, Tagging, ...shared } = input;
  const tags = input.TaggingDirective === "REPLACE" ? Tagging : tagging;
  return tags === undefined ? shared : { ...shared, Tagging: tags };
}
