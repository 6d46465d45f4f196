import { formatAddress, type ObjectAddress } from "../object-address.js";
import { siblingSuffixes } from "../sibling-suffixes.js";
import type { TransferContext } from "./transfer-context.js";

/** What was done to an object; and not to what lies beside it under a suffix that nobody named. */
export type DoneTo = "deleted" | "moved" | "moved down" | "copied";

const SAID: Readonly<Record<DoneTo, (suffix: string) => string>> = {
  deleted: (suffix) => `was left: s3ec rm deletes it now, as rm --suffix ${suffix} would have`,
  moved: (suffix) => `was left: mv --suffix ${suffix} takes it along`,
  "moved down": () => "was left: s3ec rm deletes it now",
  copied: (suffix) => `was not copied: cp --suffix ${suffix} copies it, too`,
};

/** A sentence about each file with a wrapped key that was left behind by what was done to one object. */
export async function leftBeside(
  { plain, filesBeside }: Pick<TransferContext, "plain" | "filesBeside">,
  object: ObjectAddress,
  done: DoneTo,
): Promise<string[]> {
  const { Bucket, Key } = object;
  const beside = filesBeside(Bucket, done === "moved" || done === "copied" ? "getSource" : "get");
  const sentences: string[] = [];
  // What may not be listed, or looked at, is nothing to tell of.
  for (const suffix of (await siblingSuffixes(plain, object)) ?? []) {
    const file = { Bucket, Key: `${Key}${suffix}` };
    if (!beside.mayBeUnnamedFile(file, Key)) continue;
    const { state } = await beside.stateOf(file);
    if (state !== "instruction-file" && state !== "orphaned-file") continue;
    const shown = /^[\w.-]+$/.test(suffix) ? suffix : JSON.stringify(suffix);
    sentences.push(`${formatAddress(file)} holds a wrapped key and ${SAID[done](shown)}.`);
  }
  return sentences;
}
