import type { HeadObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { isOfParts } from "../read/with-carried.js";
import type { StoredAddress } from "../restate/seen-object.js";
import { finishCarrying } from "./carried-annotations.js";
import { readCarried, recipientsOf } from "./carried-file.js";
import { isPast } from "./moving-mark.js";
import type { MarkOf } from "./put-back.js";

/**
 * Before an object's recipients are changed: throws `content-mismatch` where some are still to be put back to it after a copy in
 * parts, and puts them back where whoever was to do that has had two hours for it.
 *
 * @param head of the object, which was looked at before: a copy that ends after that has another tag
 * @param isDryRun puts nothing back: then they are not at rest, however long it was
 */
export async function requireAtRest(
  client: S3Client,
  address: StoredAddress,
  head: HeadObjectCommandOutput,
  markOf: MarkOf,
  signal: AbortSignal | undefined,
  isDryRun = false,
): Promise<void> {
  if (!isOfParts(head.ETag)) return;
  const file = await readCarried(client, address, signal);
  if (recipientsOf(file?.carried).size === 0) return;
  if (isDryRun || !isPast(file?.carried?.time)) {
    throw new S3EncryptionError(
      "content-mismatch",
      "The object was copied in parts, and its recipients are still to be put back to it: ask again later. What a process that was killed has left ends with the same call that copied it, made again, or with a change of its recipients after two hours.",
    );
  }
  await finishCarrying(client, address, markOf, signal, file);
}
