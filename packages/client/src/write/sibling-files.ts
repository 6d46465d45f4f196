import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import type { Siblings, SiblingText } from "@s3ec/materials";

/** What a format stores beside an object, and where else there may be files of it. */
export interface SiblingsToPut extends Omit<Siblings, "markOf"> {
  /** What stores them, for sentences: "Put it again." */
  readonly verb: "Put" | "Copy";
  /** Suffixes of files that an earlier put may have left. */
  readonly suffixes: readonly string[];
  /** Files of the same object that are not written now are of an earlier copy, for other readers: they go as those of another object. */
  readonly isOfOtherReaders?: boolean;
  /** An object's mark, from what S3 says of it. */
  markOf(head: HeadObjectCommandOutput): string | undefined;
  /** Whether what lies at a file's key is such a file at all. */
  isFile(file: SiblingText, metadata: Readonly<Record<string, string>>): boolean;
}

/** What stood beside the object when it was looked at. `unknown`: it may not be read, or S3 does not say whether it is there. */
export type FoundFile =
  | { readonly state: "missing" }
  /** `isLarge`: it is longer than any such file. `isHeld`: it is there, under another key of the customer's than was named, or none. */
  | { readonly state: "unknown"; readonly isLarge?: boolean; readonly isHeld?: boolean }
  | {
      readonly state: "read";
      readonly etag: string;
      readonly body: string;
      readonly metadata: Readonly<Record<string, string>>;
    };

/** The object that stood at the key when it was looked at. */
export type FoundObject =
  | { readonly state: "missing" }
  | { readonly state: "unknown" }
  | { readonly state: "read"; readonly mark: string | undefined; readonly head: HeadObjectCommandOutput };

/** Whether the object that stands is the one with this mark. */
export function isOf(mark: string | undefined, found: FoundObject): boolean {
  return found.state === "read" && mark !== undefined && found.mark === mark;
}

/** Whether the same object stands as before. One without a mark is the same while nothing that S3 says of it differs. */
export function isUnchanged(before: FoundObject, now: FoundObject): boolean {
  if (before.state !== "read" || now.state !== "read") return before.state === "missing" && now.state === "missing";
  if (before.mark !== undefined || now.mark !== undefined) return before.mark === now.mark;
  const [a, b] = [before.head, now.head];
  return a.ETag === b.ETag && a.LastModified?.getTime() === b.LastModified?.getTime();
}

/** Whether somebody's object lies at the file's key, which is no such file. */
export function isForeign(
  { isFile }: Pick<SiblingsToPut, "isFile">,
  suffix: string,
  found: FoundFile | undefined,
): boolean {
  if (found?.state === "unknown") return found.isLarge === true;
  return found?.state === "read" && !isFile({ suffix, text: found.body }, found.metadata);
}
