import { S3EncryptionError } from "@s3ec/materials";
import type { Random } from "./random.js";

/** Something that reads what others stored, fed with damaged input. */
export interface Target {
  readonly name: string;
  /** Makes one input and reads it. Says what became of it in a word or two; throws where that must not happen. */
  try(random: Random): Promise<string>;
}

/** Something came out, or was thrown, that must not. */
class Wrong extends Error {
  override readonly name = "Wrong";
}

/** What a refusal is called; an error that is none of ours goes on, since nobody could have caught it by its code. */
export function refusalOf(error: unknown): string {
  if (error instanceof S3EncryptionError) return `refused: ${error.code}`;
  throw error;
}

export function assertRight(right: boolean, what: string): void {
  if (!right) throw new Wrong(what);
}
