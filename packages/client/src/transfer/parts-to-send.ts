import type { Readable } from "node:stream";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { NOTHING, readableOf } from "../streams.js";
import type { Telemetry } from "../telemetry/telemetry.js";
import type { SiblingsToPut } from "../write/sibling-files.js";

/** Parts that S3 makes an object of, at most. */
export const MAX_PARTS = 10_000;

/** One part of an object's ciphertext. */
export interface Part {
  /** From 1 on. */
  readonly number: number;
  /** Stored bytes in front of it. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  readonly isLast: boolean;
  /** Awaited before it is sent. Rejects where the upload has ended. */
  ready(): Promise<void>;
  /** From the first byte on, the same for each attempt at sending it (S18). */
  bytes(): AsyncGenerator<Uint8Array>;
}

/**
 * A body of a part, to be destroyed once it was sent.
 *
 * @param beforeEnd awaited before the last of it can be sent
 */
export function bodyOf(part: Part, beforeEnd: () => Promise<void> | void): Readable {
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    let given = 0;
    for await (const piece of part.bytes()) {
      given += piece.length;
      if (given === part.length) await beforeEnd();
      yield piece;
    }
  };
  return readableOf(bytes(), NOTHING);
}

/** An object ready to be sent, in one request or in parts. */
export interface ObjectToSend {
  /** What the caller says of it, with the envelope in its `Metadata`; without `Body` and `ContentLength`. */
  readonly input: PutObjectCommandInput;
  readonly siblings: SiblingsToPut;
  /** Told of each time that something of it is sent again. */
  readonly telemetry: Telemetry;
  /** Stored bytes, where known. */
  readonly length: number | undefined;
  /** How many of them stand for no plaintext. */
  readonly overhead: number;
  /** Whether a part is in memory as long as it is being sent. */
  readonly holdsParts: boolean;
  /** In order, each made when it is asked for; one at least. */
  parts(partSize: number): AsyncGenerator<Part>;
  /**
   * Asked before the object can appear, in one request also while that is open: throws where what was read is not what it
   * was. Asks nobody but this system.
   */
  assertUnchanged(): Promise<void>;
  /** Asked before an object in parts appears: throws where it must not. */
  beforeComplete(): Promise<void>;
  /** Ends it for good, where another content would be put into its place (G11). */
  abandon(): void;
  /** Lets go of where it comes from; harmless after the end. */
  destroy(): void;
}
