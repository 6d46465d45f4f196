import { setTimeout as delay } from "node:timers/promises";
import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { destroyStream } from "../streams.js";
import type { Telemetry } from "../telemetry/telemetry.js";
import { answeredBody } from "./answered-body.js";
import { arrivals } from "./arrivals.js";
import { askAgain } from "./ask-again.js";
import { drained, type Take, Taker } from "./drained.js";
import type { CiphertextBody } from "./whole-content.js";

export interface ResumeSettings<Result extends { readonly output: GetObjectCommandOutput }> {
  readonly asked: GetObjectCommandInput;
  readonly send: (input: GetObjectCommandInput) => Promise<Result>;
  /** How often the body may be asked for in all. */
  readonly attempts: () => Promise<number>;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal | undefined;
}

/**
 * The body of a whole object that was answered. As long as nothing of it was given out, a connection that breaks is no
 * reason to fail: what is missing is asked for again, of the same content (`askAgain`). The SDK retries requests, not bodies.
 */
export function resumedBody<Result extends { readonly output: GetObjectCommandOutput }>(
  output: GetObjectCommandOutput,
  { asked, send, attempts, telemetry, signal }: ResumeSettings<Result>,
): CiphertextBody {
  let body = answeredBody(output);
  let mayResume = true;
  const { ContentLength: length = 0 } = output;
  const read = async (take: Take): Promise<void> => {
    let offset = 0;
    const taker = new Taker(take);
    const takeNext: Take = (chunk) => {
      offset += chunk.length;
      return taker.take(chunk);
    };
    for (let attempt = 1; ; attempt++) {
      try {
        await drained(body, takeNext);
        return;
      } catch (error) {
        taker.assertTaking();
        // What fails behind the last byte is a checksum.
        if (!mayResume || offset >= length || signal?.aborted === true || attempt >= (await attempts())) throw error;
        telemetry.retrying(error);
      }
      await delay(Math.random() * 100 * 2 ** attempt, undefined, signal === undefined ? {} : { signal });
      const rest = `bytes ${offset}-${length - 1}/${length}`;
      const { output: again } = await askAgain(
        send,
        { ...asked, Range: `bytes=${offset}-${length - 1}` },
        output,
        rest,
      );
      body = answeredBody(again);
      if (!mayResume) destroyStream(body);
    }
  };
  const destroy = (): void => {
    mayResume = false;
    destroyStream(body);
  };
  let chunks: AsyncGenerator<Uint8Array> | undefined;
  return {
    chunks: {
      // Made when it is asked for: a small body is read by the other way.
      [Symbol.asyncIterator]: () => {
        chunks ??= arrivals(read, destroy);
        return chunks;
      },
    },
    read,
    destroy,
    giveOut: () => {
      mayResume = false;
    },
  };
}
