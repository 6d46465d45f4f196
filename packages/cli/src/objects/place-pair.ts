import { stat } from "node:fs/promises";
import { basename, sep } from "node:path";
import { S3EncryptionError } from "@s3ec/materials";
import { formatAddress, type ObjectAddress } from "../object-address.js";
import type { Place } from "./place.js";

/** From where to where, what it is called, and whether of one or of many. */
export interface PlacePair {
  readonly direction: "upload" | "download" | "copy";
  readonly from: Place;
  readonly to: Place;
  /** Everything below `from` goes to below `to`. */
  readonly isMany: boolean;
  /** What is stored takes the name of what is read, below `to`. */
  readonly takesName: boolean;
}

/** What is asked of a pair. */
export interface PairOptions {
  readonly command: "cp" | "mv" | "sync";
  readonly isMany: boolean;
  /** Replaces an object's metadata, which alone is worth a copy of it onto itself. */
  readonly replacesMetadata?: boolean;
}

/**
 * Reads two places as `aws s3` does: with many, both are folders; one that ends with a slash is, and so is a local folder
 * that is there.
 *
 * @throws S3EncryptionError `invalid-argument` for what cannot be, and for what would go onto itself
 */
export async function placePair(source: Place, target: Place, options: PairOptions): Promise<PlacePair> {
  const { command, isMany } = options;
  if (source.kind !== "s3" && target.kind !== "s3") {
    throw invalid("One of the two has to be in S3: write it as s3://bucket/key.");
  }
  if ((source.kind === "stream" || target.kind === "stream") && (command !== "cp" || isMany)) {
    throw invalid("Only cp of one object takes - for standard input or output.");
  }
  const from = isMany ? asFolder(source) : source;
  const isFolder = isMany || (await isFolderToFill(target));
  const to = isFolder ? asFolder(target) : target;
  const direction = from.kind === "s3" ? (to.kind === "s3" ? "copy" : "download") : "upload";
  if (!isMany && from.kind === "s3" && (from.Key === "" || from.Key.endsWith("/"))) {
    throw invalid(`${formatAddress(from)} names no object: say --recursive for all that begin so.`);
  }
  const pair = { direction, from, to, isMany, takesName: isFolder } as const;
  if (direction === "copy" && from.kind === "s3" && to.kind === "s3") refuseOntoItself(pair, from, to, options);
  return pair;
}

/** Where something that is called so below the source goes. */
export function targetOf({ to, takesName }: PlacePair, name: string): Place {
  if (!takesName || to.kind === "stream") return to;
  if (to.kind === "s3") return { ...to, Key: `${to.Key}${name}` };
  return { ...to, path: `${to.path}${name}` };
}

/** The name of one, as it is taken below a folder. */
export function nameOf(from: Place): string {
  if (from.kind === "stream") throw invalid("What comes from standard input has no name: write the whole key.");
  return from.kind === "s3" ? from.Key.slice(from.Key.lastIndexOf("/") + 1) : basename(from.path);
}

async function isFolderToFill(target: Place): Promise<boolean> {
  if (target.kind === "stream") return false;
  if (target.kind === "s3") return target.Key === "" || target.Key.endsWith("/");
  if (/[/\\]$/.test(target.path) && target.path.endsWith(sep)) return true;
  return await stat(target.path).then(
    (there) => there.isDirectory(),
    () => false,
  );
}

function asFolder(of: Place): Place {
  if (of.kind === "stream") return of;
  if (of.kind === "s3") return of.Key === "" || of.Key.endsWith("/") ? of : { ...of, Key: `${of.Key}/` };
  return of.path.endsWith(sep) || of.path.endsWith("/") ? of : { ...of, path: `${of.path}${sep}` };
}

/** Of an access point nothing tells which bucket it is of. */
function mayBeSameBucket(one: string, other: string): boolean {
  const isAccessPoint = (bucket: string): boolean =>
    bucket.startsWith("arn:") || /-s3alias$|--(?:ol|op|xa)-s3$|\.mrap$/.test(bucket);
  return one === other || isAccessPoint(one) || isAccessPoint(other);
}

function refuseOntoItself(
  pair: PlacePair,
  from: ObjectAddress,
  to: ObjectAddress,
  { command, replacesMetadata = false }: PairOptions,
): void {
  if (!mayBeSameBucket(from.Bucket, to.Bucket)) return;
  const target = pair.isMany || !pair.takesName ? to.Key : `${to.Key}${from.Key.slice(from.Key.lastIndexOf("/") + 1)}`;
  const isSame = from.Key === target;
  const isInside = pair.isMany && (target.startsWith(from.Key) || from.Key.startsWith(target));
  if (!isSame && !isInside) return;
  if (isSame && command === "cp" && replacesMetadata && from.Bucket === to.Bucket) return;
  const shown = `${formatAddress(from)} and ${formatAddress({ ...to, Key: target })}`;
  throw invalid(
    from.Bucket === to.Bucket
      ? `${shown} are the same, or one is in the other: ${command} would go onto what it reads. ${isSame ? "Name another target." : "Name a target beside the source."}`
      : `${shown} may be the same: one is an access point, of which nothing here tells whose it is. Name the bucket.`,
  );
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
