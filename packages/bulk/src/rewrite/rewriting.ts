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
  /** Whether what is not there is what the caller named, so that an object without it is not meant. */
  readonly isNamed: boolean;
  /** Does it. */
  write(Key: string, attempt: Attempt): Promise<Result>;
  /** Whether all that was intended of an object stands. */
  isFinished(standing: StandingEnvelopes, intents: readonly Intent[]): boolean;
  /** Whether what is written first of it does: the rest is of this very object. */
  isBegun(standing: StandingEnvelopes, intents: readonly Intent[]): boolean;
  /** Ends what a process has left behind an object that is finished. */
  finish(Key: string, standing: StandingEnvelopes, intents: readonly Intent[]): Promise<void>;
  /** Whether the new key opens what stands. */
  isCurrent(Key: string): Promise<boolean>;
}

/** One object's turn. */
export interface Attempt {
  /** Records what is about to be written. */
  readonly beforeWrite: (envelope: PlannedEnvelope) => Promise<void>;
  /** How it stood before, where an earlier process meant to write it. */
  readonly standing: StandingEnvelopes | undefined;
  /** What that meant to write. */
  readonly intents: readonly Intent[];
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

const NOT_OPENED: ReadonlySet<string> = new Set(["no-matching-key", "decryption-failed", "context-mismatch"]);

/** Whether the old key does not open a wrap: the new one may. */
export function isNotOpened(error: unknown): boolean {
  return error instanceof S3EncryptionError && NOT_OPENED.has(error.code) && !(error instanceof UnopenedWrapError);
}

/** It had been done by somebody else, or by a run without a journal. */
export const OPENED = { outcome: "current", problem: "The new key opens it, and the old one does not." } as const;
