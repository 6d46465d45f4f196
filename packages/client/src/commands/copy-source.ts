import {
  type CopyObjectCommandInput,
  GetObjectCommand,
  type GetObjectCommandInput,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { changedMeanwhile, isAnother } from "../restate/changed-meanwhile.js";
import { headOf, type StoredAddress, type StoredVersion } from "../restate/seen-object.js";
import { httpStatusOf } from "../s3-errors.js";
import { letGoOfBody } from "../streams.js";

/** What is copied, as a read of it names it. */
export type SourceInput = Pick<
  GetObjectCommandInput,
  | "Bucket"
  | "ExpectedBucketOwner"
  | "Key"
  | "RequestPayer"
  | "SSECustomerAlgorithm"
  | "SSECustomerKey"
  | "SSECustomerKeyMD5"
  | "VersionId"
> & { readonly Key: string };

/** Throws `invalid-argument` where `CopySource` names no object. */
export function sourceOf(input: CopyObjectCommandInput): SourceInput {
  const [path = "", VersionId] = (input.CopySource ?? "").split("?versionId=");
  const name = decoded(path).replace(/^\//, "");
  // An access point is named by its ARN, which holds slashes.
  const [, Bucket, Key] = (name.startsWith("arn:") ? /^(.+?)\/object\/(.+)$/s : /^([^/]+)\/(.+)$/s).exec(name) ?? [];
  if (Bucket === undefined || Key === undefined) {
    throw new S3EncryptionError(
      "invalid-argument",
      "CopySource must name a bucket and a key in it, encoded as in a URL: bucket/key, or bucket/key?versionId=ID.",
    );
  }
  return {
    Bucket,
    Key,
    ExpectedBucketOwner: input.ExpectedSourceBucketOwner,
    RequestPayer: input.RequestPayer,
    SSECustomerAlgorithm: input.CopySourceSSECustomerAlgorithm,
    SSECustomerKey: input.CopySourceSSECustomerKey,
    SSECustomerKeyMD5: input.CopySourceSSECustomerKeyMD5,
    ...(VersionId === undefined ? {} : { VersionId }),
  };
}

/** Where a copy is written, as other requests name it. */
export function targetAddress(input: CopyObjectCommandInput): StoredAddress {
  const { Bucket = "", Key = "", ExpectedBucketOwner, RequestPayer } = input;
  const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = input;
  return { Bucket, Key, ExpectedBucketOwner, RequestPayer, SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
}

/** What is copied, as an object that is stored. */
export function sourceAddress(source: SourceInput): StoredVersion {
  return { ...source, Bucket: source.Bucket ?? "" };
}

function decoded(path: string): string {
  const spaced = path.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/**
 * What S3 says of the source. The caller's conditions that the pin on its tag would switch off are asked here: with
 * `CopySourceIfMatch`, S3 no longer looks at `CopySourceIfUnmodifiedSince`.
 */
export async function headOfSource(
  client: S3Client,
  source: SourceInput,
  input: Pick<CopyObjectCommandInput, "CopySourceIfMatch" | "CopySourceIfUnmodifiedSince">,
  request: { readonly abortSignal?: AbortSignal },
): Promise<HeadObjectCommandOutput> {
  const { CopySourceIfMatch: IfMatch, CopySourceIfUnmodifiedSince: IfUnmodifiedSince } = input;
  const asked = { ...source, IfMatch, IfUnmodifiedSince, ChecksumMode: "ENABLED" as const };
  try {
    return await headOf(client, new HeadObjectCommand(asked), request);
  } catch (error) {
    if (![400, 403, 404, 412].includes(httpStatusOf(error) ?? 0)) throw error;
    // A HEAD has no words for what is wrong.
    const { Body } = await client.send(new GetObjectCommand({ ...asked, Range: "bytes=0-0" }), request);
    letGoOfBody(Body);
    throw error;
  }
}

/** Throws `content-mismatch` where the source is another by now, or says another thing of itself: its tag holds the content only. */
export async function requireSameSource(
  client: S3Client,
  source: SourceInput,
  head: HeadObjectCommandOutput,
  request: { readonly abortSignal?: AbortSignal },
): Promise<void> {
  if (isAnother(head, await headOfSource(client, source, {}, request))) throw changedMeanwhile();
}

/** Throws `unsupported-operation` for what has nothing that binds a copy of it to the content that was looked at. */
export function refuseUnpinned({ VersionId }: SourceInput, head: HeadObjectCommandOutput): void {
  if (VersionId !== undefined || pinOf(head).CopySourceIfMatch !== undefined) return;
  throw new S3EncryptionError(
    "unsupported-operation",
    "The object has no strong entity tag (ETag), so that its metadata cannot be replaced in a copy without a risk for the content: copy it with MetadataDirective COPY, name its version, or read it and put it there.",
  );
}

/** The source's object tags, as a put says them; S3 gives them to the copy, and a put of a file beside it has to. */
export async function tagsOfSource(
  client: S3Client,
  { Bucket, Key, VersionId, ExpectedBucketOwner, RequestPayer }: SourceInput,
  request: { readonly abortSignal?: AbortSignal },
): Promise<string> {
  const asked = { Bucket, Key, VersionId, ExpectedBucketOwner, RequestPayer };
  const { TagSet = [] } = await client.send(new GetObjectTaggingCommand(asked), request);
  const tags = new URLSearchParams();
  for (const tag of TagSet) tags.append(tag.Key ?? "", tag.Value ?? "");
  return tags.toString();
}

/** The source's entity tag as a condition; a weak one, as a proxy that compresses makes of it, never matches any. */
export function pinOf({ ETag }: HeadObjectCommandOutput): Pick<CopyObjectCommandInput, "CopySourceIfMatch"> {
  return ETag === undefined || ETag.startsWith("W/") ? {} : { CopySourceIfMatch: ETag };
}
