import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import type { Target } from "./event.js";
import { type Outcome, permanent, temporary } from "./response.js";
import type { Pace, Settings } from "./settings.js";

/** Milliseconds that an invocation keeps for its answer. */
const RESERVE = 10_000;

/** The time of one invocation. */
export interface Time {
  /** Milliseconds that it had when it began. */
  readonly whole: number;
  /** Milliseconds that are left. */
  readonly left: () => number;
}

/** The time that Lambda says there is; without it, as in a test, all of it. */
export function timeOf(remaining: (() => number) | undefined): Time {
  if (remaining === undefined) return { whole: Number.POSITIVE_INFINITY, left: () => Number.POSITIVE_INFINITY };
  const left = (): number => Math.max(0, remaining() - RESERVE);
  return { whole: left(), left };
}

/** What an operation moves of an object, in bytes: through the function, and inside S3. */
function moved(
  settings: Settings,
  { ContentLength: length = 0, Metadata = {} }: HeadObjectCommandOutput,
): { read: number; copied: number } {
  switch (settings.operation) {
    case "audit":
      return { read: 0, copied: 0 };
    case "verify":
      return { read: length, copied: 0 };
    case "migrate":
      // Read to be verified, read to be decrypted, and written.
      return { read: 3 * length, copied: 0 };
    case "rewrap": {
      // V3 has a commitment; of V2 the content's tag alone proves that a data key is this object's.
      const isProven = settings.sameOwner || "x-amz-c" in Metadata;
      // A recipient's file or annotation is put by itself.
      const isBeside = settings.recipient !== undefined || settings.suffix !== undefined;
      return { read: settings.verify === "content" || !isProven ? length : 0, copied: isBeside ? 0 : length };
    }
  }
}

/**
 * Why an object is not begun: it would not be done before the invocation's time ends. Undefined where it will be. What fits into a
 * whole invocation, and not into the rest of this one, is for another.
 */
export function tooLarge(
  settings: Settings,
  { readRate, copyRate }: Pace,
  time: Time,
  head: HeadObjectCommandOutput,
  { Bucket, Key }: Target,
): Outcome | undefined {
  const { read, copied } = moved(settings, head);
  const needed = (read / readRate + copied / copyRate) * 1000;
  if (needed <= time.left()) return undefined;
  if (needed <= time.whole) return temporary("It is not begun: there is too little time left to this invocation.");
  const rates = [...(read > 0 ? [`reads ${readRate}`] : []), ...(copied > 0 ? [`copies ${copyRate}`] : [])];
  return permanent(
    `content-too-large: It is not begun: ${head.ContentLength} bytes take ${Math.ceil(needed / 1000)} s where a function ${rates.join(" and ")} bytes a second, and an invocation has ${Math.floor(time.whole / 1000)} s. Do it on a machine: s3ec ${settings.operation} ${JSON.stringify(`s3://${Bucket}/${Key}`)}.`,
  );
}
