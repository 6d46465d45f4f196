import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";

/** A file that is stored beside an object, at the object's key plus `suffix`. */
export interface SiblingFile {
  readonly suffix: string;
  readonly body: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a format stores beside an object, and how the object is told from every other one. */
export interface Siblings {
  /** What stores them, for sentences: "Put it again." */
  readonly verb: "Put" | "Copy";
  readonly files: readonly SiblingFile[];
  /** Whether the object cannot be read without them. They are then written before it, and put back when it fails. */
  readonly first: boolean;
  /** Found by `markOf` on this object and no other; undefined where its format leaves nothing on the object. */
  readonly mark: string | undefined;
  /** Suffixes of files that an earlier put may have left. */
  readonly suffixes: readonly string[];
  /** Replace files, unconditionally, of which it cannot be told what they are of. */
  readonly replaceUnknown: boolean;
  /** An object's mark, from what S3 says of it. */
  markOf(head: HeadObjectCommandOutput): string | undefined;
  /** The mark of the object that a file is of, from the file's user metadata. */
  fileMarkOf(metadata: Readonly<Record<string, string>>): string | undefined;
  /** Whether an object with this user metadata can be read without a file. */
  standsAlone(metadata: Readonly<Record<string, string>>): boolean;
}

/** What stood beside the object when it was looked at. `unknown`: it may not be read, or S3 does not say whether it is there. */
export type FoundFile =
  | { readonly state: "missing" }
  | { readonly state: "unknown" }
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
