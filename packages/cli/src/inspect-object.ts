import type { S3Client } from "@aws-sdk/client-s3";
import { type AnnotatedRecipient, inspectObject as inspectStored } from "@s3ec/client";
import { AwsMessageFormat } from "@s3ec/format-aws-message";
import { S3Format } from "@s3ec/format-s3";
import { type Inspection, type ObjectFormat, S3EncryptionError } from "@s3ec/materials";
import { headObject } from "./head-object.js";
import { siblingSuffixes, whereElseToLook } from "./sibling-suffixes.js";

/** The object to look at, and where. */
export interface InspectOptions {
  /** Its bucket. */
  readonly Bucket: string;
  /** Its key. */
  readonly Key: string;
  /** A version of it. Default: the current one. */
  readonly VersionId?: string;
  /** The instruction file to look at, even when the metadata holds a wrapped key; default `.instruction`, as a reader would. */
  readonly instructionFileSuffix?: string;
}

/** What is stored about an encrypted object, and what lies beside it; nothing of it is secret or authenticated. */
export interface Inspected {
  /** Name of the format. */
  readonly formatName: string;
  /** What the format says of the object. */
  readonly inspection: Inspection;
  /** What follows the object's key in others that could be its instruction files; null where they may not be listed. */
  readonly siblingSuffixes: readonly string[] | null;
  /** Further recipients, in annotations of the object; null where those may not be listed. */
  readonly recipients: readonly AnnotatedRecipient[] | null;
}

/** A head is looked at whole, however many keys it holds. */
export const INSPECTED_FORMATS: readonly ObjectFormat[] = [
  new S3Format(),
  new AwsMessageFormat({ maxEncryptedDataKeys: 0xffff, maxHeaderLength: 1024 * 1024, maxFrameLength: 2 ** 31 - 1 }),
];

/**
 * Reads an object's envelope, or the head that it begins with, with a plain `S3Client`; needs no key.
 *
 * @throws S3EncryptionError `not-encrypted` or `malformed-envelope`; S3's own errors
 */
export async function inspectObject(client: S3Client, options: InspectOptions): Promise<Inspected> {
  const { Bucket, Key, VersionId } = options;
  const head = await headObject(client, { Bucket, Key, ...(VersionId === undefined ? {} : { VersionId }) });
  try {
    const found = await inspectStored(client, { ...options, head, formats: INSPECTED_FORMATS });
    return { ...found, siblingSuffixes: await siblingSuffixes(client, options) };
  } catch (error) {
    if (!(error instanceof S3EncryptionError) || error.code !== "not-encrypted") throw error;
    const elsewhere = whereElseToLook(await siblingSuffixes(client, options));
    throw new S3EncryptionError(error.code, `${error.message} ${elsewhere}`, { cause: error });
  }
}
