import { basename, dirname, join, relative } from "node:path";
import { InvalidArgumentError } from "commander";
import { formatAddress, type ObjectAddress } from "../object-address.js";

/** Where something comes from or goes to: a file or folder, standard input or output, or an object or prefix. */
export type Place =
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "stream" }
  | ({ readonly kind: "s3" } & ObjectAddress);

/** An access point, whose ARN holds slashes, or a bucket; then a slash and the key. */
const S3_PLACE = /^s3:\/\/(arn:[\w-]+:[\w-]+:[\w-]*:\d{12}:accesspoint[/:][A-Za-z0-9.-]{1,63}|[^/]+)(?:\/(.*))?$/s;

/** Reads what `aws s3` takes for a path: `s3://bucket/key`, `-`, or the name of a file or folder. */
export function place(text: string): Place {
  if (!text.startsWith("s3://")) {
    if (text === "") throw new InvalidArgumentError("It is empty: name a file, a folder, - or s3://bucket/key.");
    return text === "-" ? { kind: "stream" } : { kind: "local", path: text };
  }
  const [, Bucket, Key = ""] = S3_PLACE.exec(text) ?? [];
  if (Bucket === undefined) throw new InvalidArgumentError("Write it as s3://bucket/key.");
  return { kind: "s3", Bucket, Key };
}

/** Reads `s3://bucket`, `s3://bucket/prefix` or `s3://bucket/key`. */
export function s3Place(text: string): ObjectAddress {
  const read = place(text);
  if (read.kind !== "s3") throw new InvalidArgumentError("Write it as s3://bucket/key.");
  return { Bucket: read.Bucket, Key: read.Key };
}

/** A path as `aws s3` prints it: from the working directory, with `./` in front of a bare name. */
export function shownPath(path: string): string {
  const folder = relative(process.cwd(), dirname(path)) || ".";
  const shown = join(folder, basename(path));
  return folder === "." ? `./${shown}` : shown;
}

/** As it is printed. */
export function shownPlace(to: Place): string {
  if (to.kind === "s3") return formatAddress(to);
  return to.kind === "stream" ? "-" : shownPath(to.path);
}
