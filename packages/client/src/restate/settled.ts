import { setTimeout as delay } from "node:timers/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { requestAborted } from "../request-aborted.js";
import type { KeepOptions } from "./kept-object.js";
import { lookAt, type SeenObject, type StoredAddress } from "./seen-object.js";

/** Milliseconds: Last-Modified has whole seconds, so that of two changes within one the later does not show. */
const SETTLE_TIME = 2000;
const MAX_ROUNDS = 5;

type Pace = Pick<KeepOptions, "abortSignal" | "checksTarget" | "settleTime">;

/** Throws `invalid-argument` for what is no number of milliseconds. */
export function settleTimeOf({ settleTime = SETTLE_TIME }: Pace): number {
  if (Number.isSafeInteger(settleTime) && settleTime >= 0 && settleTime < 2 ** 31) return settleTime;
  throw new S3EncryptionError("invalid-argument", "settleTime must be a number of milliseconds, 0 or more.");
}

/** Whether the store that answered checks conditions on the target of a copy. Without a clock, no time can be one. */
export function checksTarget({ isAws, date }: SeenObject, { checksTarget: said = isAws }: Pace): boolean {
  return said && date !== undefined;
}

/**
 * Looks at an object whose time is long enough ago by the store's own clock that every later change has another one:
 * `CopySourceIfUnmodifiedSince` then holds. Waits where it was written just now.
 */
export async function settled(client: S3Client, address: StoredAddress, pace: Pace): Promise<SeenObject> {
  const request = pace.abortSignal === undefined ? {} : { abortSignal: pace.abortSignal };
  const settleTime = settleTimeOf(pace);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const seen = await lookAt(client, address, request);
    const { date, head } = seen;
    if (!checksTarget(seen, pace) || date === undefined || head.LastModified === undefined) return seen;
    const left = head.LastModified.getTime() + settleTime - date.getTime();
    if (left <= 0) return seen;
    await waited(Math.min(left, settleTime), pace.abortSignal);
  }
  throw new S3EncryptionError(
    "content-mismatch",
    "The object is being written again and again: nothing was changed. Try again when its writers have stopped.",
  );
}

/** Rejects as the SDK does when the caller's signal aborts. */
export async function waited(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw requestAborted();
  }
}
