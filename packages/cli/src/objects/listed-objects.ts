import type { S3Client } from "@aws-sdk/client-s3";
import { listObjects, type StoredObject } from "@s3ec/bulk";
import { S3EncryptionError } from "@s3ec/materials";
import { formatAddress, type ObjectAddress } from "../object-address.js";
import { inUtf8Order } from "./utf8-order.js";

/** An object below a prefix. */
export interface ListedObject extends StoredObject {
  /** Its key without the prefix. */
  readonly name: string;
}

/** What a request says beside the object. */
export interface ListingOptions {
  readonly RequestPayer?: "requester";
  readonly abortSignal: AbortSignal;
}

/**
 * The objects below a prefix. Whoever compares listings relies on their order, which some stores do not keep.
 *
 * @throws S3EncryptionError `unsupported-operation` for a listing out of order; S3's own errors, also half way
 */
export async function* objectsBelow(
  client: S3Client,
  { Bucket, Key: Prefix }: ObjectAddress,
  options: ListingOptions,
): AsyncGenerator<ListedObject> {
  let last: string | undefined;
  for await (const object of listObjects(client, { Bucket, Prefix, ...options })) {
    options.abortSignal.throwIfAborted();
    const isNext = object.Key.startsWith(Prefix) && (last === undefined || inUtf8Order(last, object.Key) < 0);
    if (!isNext) {
      throw new S3EncryptionError(
        "unsupported-operation",
        `The store lists ${formatAddress({ Bucket, Key: Prefix })} in another order than S3's (${JSON.stringify(object.Key)} after ${JSON.stringify(last ?? Prefix)}), so that nothing can be compared or deleted by it.`,
      );
    }
    last = object.Key;
    yield { ...object, name: object.Key.slice(Prefix.length) };
  }
}

/** Whether it stands for a folder, as consoles make them, and holds nothing. */
export function isFolderMarker({ name, Size }: ListedObject): boolean {
  return (name === "" || name.endsWith("/")) && Size === 0;
}
