import type { S3Client } from "@aws-sdk/client-s3";
import { assertKnownOptions, type OptionNames } from "@s3ec/materials";
import { siblingRules } from "../files-beside.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import type { RestatedObjectOptions } from "../restate/restated-object-options.js";
import { finishCarrying } from "./carried-annotations.js";
import { leftAside } from "./carried-file.js";

/** The object, and what every request about it says. */
export interface ObjectAside
  extends Pick<
    RestatedObjectOptions,
    | "Bucket"
    | "Key"
    | "ExpectedBucketOwner"
    | "RequestPayer"
    | "SSECustomerAlgorithm"
    | "SSECustomerKey"
    | "SSECustomerKeyMD5"
  > {
  /** Ends the call. */
  readonly abortSignal?: AbortSignal | undefined;
}

const OBJECT: OptionNames<ObjectAside> = {
  Bucket: true,
  Key: true,
  ExpectedBucketOwner: true,
  RequestPayer: true,
  SSECustomerAlgorithm: true,
  SSECustomerKey: true,
  SSECustomerKeyMD5: true,
  abortSignal: true,
};

/**
 * The file beside an object that holds its annotations, or the wrapped keys of its recipients, since a call that wrote it anew or
 * copied it in parts broke off: `putBackAnnotations` puts them back. An object of somebody's own at that key is none.
 *
 * @param client an `S3Client`, which may be one that encrypts
 * @returns its key and entity tag; undefined where there is none
 * @throws S3EncryptionError `invalid-argument` for unknown options; S3's own errors
 */
export async function annotationsLeftAside(
  client: S3Client,
  object: ObjectAside,
): Promise<{ readonly key: string; readonly etag: string } | undefined> {
  assertKnownOptions(object, OBJECT, "annotationsLeftAside");
  const { abortSignal, ...address } = object;
  const found = await leftAside(plainClientOf(client), address, abortSignal);
  return found === undefined ? undefined : { key: found.key, etag: found.etag };
}

/**
 * Ends what a call has left that broke off while it wrote an object anew or copied it in parts: gives the object the annotations
 * that such a file holds, and removes that. `migrateObject` does it by itself, and `rewrapObject` of an object that it copies in parts.
 * Needs no key, and does not write the object.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @returns whether there was such a file and is none any more: it is left where the object before stands, and that call has not had two
 *   hours yet, since it may be under way
 * @throws S3EncryptionError `content-mismatch` where another object stands by now than that which they are of: the file is left;
 *   `InstructionFileError` where they could not be put; `invalid-argument` for unknown options; S3's own errors
 */
export async function putBackAnnotations(client: S3Client, object: ObjectAside): Promise<boolean> {
  assertKnownOptions(object, OBJECT, "putBackAnnotations");
  const { abortSignal, ...address } = object;
  const rules = siblingRules(encryptionOf(client, undefined));
  const plain = plainClientOf(client);
  if ((await leftAside(plain, address, abortSignal)) === undefined) return false;
  const left = await finishCarrying(plain, address, (metadata = {}) => rules.kindOf(metadata).mark, abortSignal);
  return left === undefined;
}
