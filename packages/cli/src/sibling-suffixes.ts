import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { quotedList } from "@s3ec/envelope";

/** Enough to recognise the right one among. */
const MAX_SIBLINGS = 20;

/** Milliseconds that looking for them may take; the rest is told in any case. */
const PATIENCE = 3000;

/** What follows an object's key in those of its siblings `<key>.*`; null where they may not be listed. */
export async function siblingSuffixes(
  client: S3Client,
  { Bucket, Key }: { readonly Bucket: string; readonly Key: string },
): Promise<readonly string[] | null> {
  try {
    const input = { Bucket, Prefix: `${Key}.`, MaxKeys: MAX_SIBLINGS };
    const { Contents = [] } = await client.send(new ListObjectsV2Command(input), {
      abortSignal: AbortSignal.timeout(PATIENCE),
    });
    return Contents.flatMap((entry) => (entry.Key?.startsWith(input.Prefix) ? [entry.Key.slice(Key.length)] : []));
  } catch {
    // What is known of the object is worth telling without.
    return null;
  }
}

/** For whoever did not find a wrapped key where it was looked for. */
export function whereElseToLook(suffixes: readonly string[] | null): string {
  if (suffixes === null) return "Whether it has one with another suffix could not be listed (s3:ListBucket).";
  if (suffixes.length === 0) return 'No other key begins with its key and ".", as that of one would.';
  return `Beside it are keys that end in ${quotedList(suffixes)}: if one is its instruction file, name that with --suffix.`;
}
