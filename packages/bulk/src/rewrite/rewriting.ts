import type { PlannedEnvelope } from "@s3ec/client";
import { S3EncryptionError, UnopenedWrapError } from "@s3ec/materials";
import type { Intent, JournalRun } from "../journal/journal-lines.js";
import type { StandingEnvelopes } from "../journal/standing-envelopes.js";
import type { RewrittenObject } from "./rewritten-object.js";

/** What came of one object. */
export type Result = Omit<RewrittenObject, "Key" | "VersionId">;

/** What is done to each object. */
export interface Rewriting {
  readonly command: JournalRun["command"];
  /** Places beside an object whose envelopes belong to what is done. */
  readonly places: readonly string[];
  /** Suffixes of files that are named, whose wraps a filter is to see. */
  readonly suffixes: readonly string[];
  /** Whether what is not there is what the caller named, so that an object without it is not meant. */
  readonly isNamed: boolean;
  /** What is said of an older version. Default: that it keeps its wrapped key. */
  readonly older?: Result;
  /** Does it. */
  write(Key: string, attempt: Attempt): Promise<Result>;
  /** Whether all that was intended of an object stands, which may be the one that was written just now. */
  isFinished(standing: StandingEnvelopes, intents: readonly Intent[], written?: Written): boolean;
  /** Whether what is written first of it does: the rest is of this very object. */
  isBegun(standing: StandingEnvelopes, intents: readonly Intent[]): boolean;
  /** Ends what a process has left behind an object that is finished. */
  finish(Key: string, standing: StandingEnvelopes, intents: readonly Intent[]): Promise<void>;
  /** Whether the new key opens what stands. */
  isCurrent(Key: string, intents: readonly Intent[]): Promise<boolean>;
}

/** Of an object that was written, or a wrap of it: what S3 called the object then. */
export interface Written {
  readonly etag: string | undefined;
  readonly version: string | undefined;
  /** The version that it was done to, which a listing may not have known. Absent where that is not told. */
  readonly of?: string | undefined;
  /** Hash of the text that was written beside it. */
  readonly text?: string;
}

/** One object's turn. */
export interface Attempt {
  /** Records what is about to be written. */
  readonly beforeWrite: (envelope: PlannedEnvelope) => Promise<void>;
  /** Takes what was written anew. */
  readonly afterWrite: (written: Written) => void;
  /** How it stood before, where an earlier process meant to write it. */
  readonly standing: StandingEnvelopes | undefined;
  /** What that meant to write. */
  readonly intents: readonly Intent[];
  /** What is said of an object that has no wraps, which takes a look; undefined for one that may have some. */
  readonly withoutWraps: () => Promise<Result | undefined>;
}

/** What is wrong with one of an object's wraps, where others of it have been written. */
export class PartlyDone extends Error {
  readonly done: Pick<RewrittenObject, "wraps" | "changed" | "replacedVersionId">;

  /** @param message which are written, and which is not, in a sentence */
  constructor(message: string, done: PartlyDone["done"], cause: unknown) {
    super(message, { cause });
    this.done = done;
  }
}

/** A file that is named without a dot may have one. */
export function suffixesNamed(names: readonly (string | undefined)[]): readonly string[] {
  const named = names.filter((name) => name !== undefined);
  return [...new Set(named.flatMap((name) => [name, `.${name.replace(/^\.+/, "")}`]))];
}

const NOT_OPENED: ReadonlySet<string> = new Set(["no-matching-key", "decryption-failed", "context-mismatch"]);

/**
 * Why something was not done; undefined where the old key does not open it, and the new one does. A look that failed says nothing
 * of the object, which would otherwise be told as altered: it is why.
 *
 * @param isCurrent whether the new key opens it
 */
export async function whyNotDone(error: unknown, isCurrent: () => Promise<boolean>): Promise<unknown> {
  if (!(error instanceof S3EncryptionError) || error instanceof UnopenedWrapError) return error;
  if (!NOT_OPENED.has(error.code)) return error;
  try {
    return (await isCurrent()) ? undefined : error;
  } catch (failed) {
    return failed instanceof S3EncryptionError && failed.code !== "key-unavailable" ? error : failed;
  }
}

/** It had been done by somebody else, or by a run without a journal. */
export const OPENED = { outcome: "current", problem: "The new key opens it, and the old one does not." } as const;
