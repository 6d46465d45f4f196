import type {
  CopyObjectCommandInput,
  CopyObjectCommandOutput,
  HeadObjectCommandOutput,
  PutObjectCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { callOptionsOf } from "../call-options.js";
import { knownSuffixes, siblingRules } from "../files-beside.js";
import type { ResolvedOptions } from "../options.js";
import { plainClientOf } from "../plain-client.js";
import { unlessAborted } from "../request-aborted.js";
import { Attempts, watched } from "../write/attempts.js";
import { refuseImpossibleKeys } from "../write/metadata-limits.js";
import { publish } from "../write/publish.js";
import { InstructionFileError } from "../write/sibling-error.js";
import type { SiblingsToPut } from "../write/sibling-files.js";
import { SiblingStore } from "../write/sibling-store.js";
import { pinOf, type SourceInput, sourceOf } from "./copy-source.js";
import { type Copied, readSource } from "./read-source.js";
import { refuseShadowed } from "./shadowed-copy.js";

type Result = { output: CopyObjectCommandOutput; response: unknown };
type Next = (input: CopyObjectCommandInput) => Promise<Result>;

/**
 * Copies an encrypted object with its metadata, which is its envelope, and with its instruction files, as a put of the
 * object over what is at the target. The files are read before the object is looked at, and the copy is of that object and
 * no other.
 */
export async function copyObject(
  options: ResolvedOptions,
  input: CopyObjectCommandInput,
  next: Next,
  client: S3Client,
): Promise<Result> {
  if (input.MetadataDirective === "REPLACE") {
    throw new S3EncryptionError(
      "unsupported-operation",
      "Replacing an object's metadata would destroy its envelope, and the object with it: copy with MetadataDirective COPY.",
    );
  }
  const call = callOptionsOf(input);
  const plain = plainClientOf(client);
  const source = sourceOf(input);
  // Keys may be asked for whose file it is.
  const copied = await unlessAborted(() => readSource(options, call, input, source, plain), call.abortSignal);
  refuseImpossibleKeys(input.Key, copied.files);
  const siblings = siblingsOf(options, input, copied);
  const target = targetOf(input, copied);
  const store = new SiblingStore(plain, target, siblings, { signal: call.abortSignal });
  if (!copied.kind.standsAlone) await refuseShadowed(options, store, copied.head.Metadata ?? {}, copied.files);
  const attempts = new Attempts();
  let result: Result | undefined;
  try {
    return await publish<Result>({
      store,
      siblings,
      attempts,
      send: async () => {
        result = await next(watched({ ...input, ...conditionsOf(input, source, copied) }, attempts));
        return result;
      },
      answerOf: (head) => {
        result = { output: answerOfCopy(head), response: undefined };
        return result;
      },
      markOf: ({ output }) => output.CopyObjectResult?.ETag,
    });
  } catch (error) {
    if (!(error instanceof InstructionFileError) || result === undefined) throw error;
    throw new InstructionFileError(error.code, error.message, error.files, error.cause, result.output);
  }
}

/**
 * What is copied is what was looked at; the caller's own conditions on the source were asked by then, and none that is
 * left can switch this one off. Onto itself, also what is replaced: S3 looks at the source at the beginning only.
 */
function conditionsOf(
  input: CopyObjectCommandInput,
  { Bucket, Key, VersionId }: SourceInput,
  { head }: Copied,
): Pick<CopyObjectCommandInput, "CopySourceIfMatch" | "IfMatch"> {
  const { CopySourceIfMatch } = pinOf(head);
  if (CopySourceIfMatch === undefined) return {};
  const isOntoItself = Bucket === input.Bucket && Key === input.Key && VersionId === undefined;
  const isFree = input.IfNoneMatch === undefined && (input.IfMatch === undefined || input.IfMatch === "*");
  return { CopySourceIfMatch, ...(isOntoItself && isFree ? { IfMatch: CopySourceIfMatch } : {}) };
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
    standsAlone: (metadata) => rules.kindOf(metadata).standsAlone,
  };
}

/** The copy as a put, whose owner, encryption and storage its files share. */
function targetOf(input: CopyObjectCommandInput, { tagging }: Copied): PutObjectCommandInput {
  const { CopySource, CopySourceSSECustomerKey, Metadata, Tagging, ...shared } = input;
  const tags = input.TaggingDirective === "REPLACE" ? Tagging : tagging;
  return tags === undefined ? shared : { ...shared, Tagging: tags };
}

/** What a copy would have answered, from what S3 says of the object that it stored. */
function answerOfCopy(head: HeadObjectCommandOutput): CopyObjectCommandOutput {
  const { ETag, LastModified, VersionId, Expiration, ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled } = head;
  const { SSECustomerAlgorithm, SSECustomerKeyMD5, RequestCharged, $metadata } = head;
  const encrypted = { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, SSECustomerAlgorithm, SSECustomerKeyMD5 };
  return { CopyObjectResult: { ETag, LastModified }, VersionId, Expiration, RequestCharged, ...encrypted, $metadata };
}
