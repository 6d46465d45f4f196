import {
  type CopyObjectCommandInput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { changedMeanwhile, isAnother } from "../restate/changed-meanwhile.js";
import { httpStatusOf, isMissing } from "../s3-errors.js";
import { headOfSource, type SourceInput, targetAddress } from "./copy-source.js";

/** An access point, by its ARN or alias: the name does not tell of which bucket. */
const ACCESS_POINT = /^arn:|-s3alias$|--(?:ol|op|xa)-s3$|\.mrap$/;

/** One that leads to any of several buckets, and not to the same each time. */
const MULTI_REGION = /\.mrap$/;

/**
 * Refuses a copy of an object onto itself whose source and target have different names: it would be taken for a copy elsewhere, with no
 * condition on what it replaces, and another keyring may be chosen for the other name.
 *
 * @param client one that does not encrypt
 * @param head the source, as it was seen
 * @throws S3EncryptionError `unsupported-operation` where they are the same object, or that cannot be told; `content-mismatch`
 *   where others wrote the source meanwhile
 */
export async function refuseTwoNames(
  client: S3Client,
  input: CopyObjectCommandInput,
  source: SourceInput,
  head: HeadObjectCommandOutput,
  request: { readonly abortSignal?: AbortSignal },
): Promise<void> {
  const target = targetAddress(input);
  const { Bucket, Key } = target;
  const names = [Bucket, source.Bucket ?? ""];
  if (Key !== source.Key || Bucket === source.Bucket || !names.some((name) => ACCESS_POINT.test(name))) return;
  if (names.some((name) => MULTI_REGION.test(name))) throw refused("may be", names);
  let there: HeadObjectCommandOutput;
  try {
    there = await client.send(new HeadObjectCommand({ ...target, VersionId: source.VersionId }), request);
  } catch (error) {
    if (isMissing(error)) return;
    if (![400, 403].includes(httpStatusOf(error) ?? 0)) throw error;
    throw refused("may be", names, error);
  }
  if (!isAnother(head, there)) throw refused("are", names);
  // What changed between the two looks is no other object.
  if (isAnother(head, await headOfSource(client, source, {}, request))) throw changedMeanwhile();
}

function refused(are: "are" | "may be", names: readonly string[], cause?: unknown): S3EncryptionError {
  const [target, source] = names.map((name) => JSON.stringify(name));
  return new S3EncryptionError(
    "unsupported-operation",
    `Nothing was copied: source and target ${are} one object under two names (${source} and ${target}, of which one is an access point). Name the bucket in both places, or another key.`,
    cause === undefined ? undefined : { cause },
  );
}
