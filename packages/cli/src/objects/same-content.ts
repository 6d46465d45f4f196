import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { plaintextSize } from "@s3ec/client";
import { holdsEnvelope } from "@s3ec/envelope";

/** What of two with the same name says that one has to be transferred. */
export interface ComparisonOptions {
  readonly sizeOnly?: boolean;
  readonly exactTimestamps?: boolean;
}

export type Direction = "upload" | "download" | "copy";

/**
 * Whether the times say that the target is as it should be, as `aws s3 sync` has it: it is not older than the source. What was
 * downloaded has its object's time, so that of a download it must not be newer; and exactly as old where that is asked for.
 *
 * @param source milliseconds; an object's are whole seconds
 */
export function isTimely(
  direction: Direction,
  source: number,
  target: number,
  { exactTimestamps = false }: ComparisonOptions,
): boolean {
  if (direction !== "download") return target >= source;
  // A file system may keep other fractions of a second than the store.
  const [object, file] = [Math.floor(source / 1000), Math.floor(target / 1000)];
  return exactTimestamps ? file === object : file <= object;
}

/** Bytes that an AES-GCM tag takes. */
const TAG = 16;

/** The size from a listing, as of what this client has written: the stored bytes without the tag. */
export function sizeIfEncrypted(stored: number): number {
  return stored < TAG ? stored : stored - TAG;
}

/** The size of the plaintext by a HEAD, as near as that tells. */
export function sizeOfObject(head: Pick<HeadObjectCommandOutput, "ContentLength" | "Metadata">): number {
  return plaintextSize(head) ?? sizeIfEncrypted(head.ContentLength ?? 0);
}

/** Whether plaintext of this size may be what the object holds, by its HEAD. */
export function maySizeBe(size: number, head: Pick<HeadObjectCommandOutput, "ContentLength" | "Metadata">): boolean {
  const exact = plaintextSize(head);
  if (exact !== undefined) return exact === size;
  const { ContentLength: stored = 0, Metadata = {} } = head;
  const padded = (Math.floor(size / TAG) + 1) * TAG;
  // Of CBC the padding hides the end; of an envelope in a file it takes that to tell the cipher.
  return holdsEnvelope(Metadata) ? stored === padded : stored === padded || stored === size + TAG;
}
