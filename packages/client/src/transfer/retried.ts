import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { readAtMost } from "@s3ec/envelope";
import { isError } from "@s3ec/materials";
import { unlessAborted } from "../request-aborted.js";
import { httpStatusOf } from "../s3-errors.js";
import { quiet, sendsNodeStreams } from "../streams.js";
import type { Telemetry } from "../telemetry/telemetry.js";
import { sendsAnew } from "../write/sent-body.js";

/**
 * Sends a body that is made anew for each attempt, and for each pass of one, such as to the region that S3 redirects to. The
 * SDK never sends a stream again, so that whether and when is asked here, as it asks: of the client's own strategy. A body
 * that fails is not made again. A client that sends no streams of Node's is given the body's bytes, which the SDK sends
 * again by itself.
 */
export async function retried<Output>(
  client: S3Client,
  telemetry: Telemetry,
  signal: AbortSignal,
  makeBody: () => Readable,
  send: (body: Readable | Uint8Array) => Promise<Output>,
): Promise<Output> {
  if (!sendsNodeStreams(client)) return await send(await readAtMost(makeBody(), Number.POSITIVE_INFINITY));
  const strategy = await client.config.retryStrategy();
  // One of the first generation only wraps the SDK's own requests.
  const asks = "acquireInitialRetryToken" in strategy ? strategy : undefined;
  let token = await asks?.acquireInitialRetryToken("");
  while (true) {
    signal.throwIfAborted();
    let body: Readable | undefined;
    const makeNext = (): Readable => {
      letGo(body);
      body = makeBody();
      quiet(body);
      sendsAnew(body, makeNext);
      return body;
    };
    try {
      const output = await send(makeNext());
      if (token !== undefined) asks?.recordSuccess(token);
      return output;
    } catch (error) {
      if (body?.errored) throw body.errored;
      if (signal.aborted || token === undefined || asks === undefined || !isError(error)) throw error;
      const info = await retryInfoOf(error);
      const used = token;
      token = await unlessAborted(() => asks.refreshRetryTokenForRetry(used, info), signal).catch(() => undefined);
      if (token === undefined) throw error;
      telemetry.retrying(error);
    } finally {
      letGo(body);
    }
    await delay(token.getRetryDelay(), undefined, { signal });
  }
}

/** A request that was answered before its body's end would keep its connection. */
function letGo(body: Readable | undefined): void {
  body?.destroy(body.readableEnded ? undefined : new Error("The request was answered before its body was sent."));
}

type Strategy = Extract<
  Awaited<ReturnType<S3Client["config"]["retryStrategy"]>>,
  { acquireInitialRetryToken: unknown }
>;
type RetryInfo = Parameters<Strategy["refreshRetryTokenForRetry"]>[1];

/** What the SDK's own retries tell the strategy, of a clock that is wrong, for example, or of when S3 wants to be asked again. */
async function retryInfoOf(failure: Error): Promise<RetryInfo> {
  const { getRetryAfterHint, isServerError, isThrottlingError, isTransientError } = await import("@smithy/core/retry");
  const error = failure as Parameters<typeof isTransientError>[0];
  // Without an answer: of the connection, which Node names by a code; not, for example, that there are no credentials.
  const broke = httpStatusOf(error) === undefined && "code" in error && typeof error.code === "string";
  const retryAfterHint = getRetryAfterHint(Reflect.get(error, "$response"));
  const errorType = (): RetryInfo["errorType"] => {
    if (isThrottlingError(error)) return "THROTTLING";
    if (broke || isTransientError(error)) return "TRANSIENT";
    return isServerError(error) ? "SERVER_ERROR" : "CLIENT_ERROR";
  };
  return { error, errorType: errorType(), ...(retryAfterHint === undefined ? {} : { retryAfterHint }) };
}
