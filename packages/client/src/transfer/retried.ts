import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { readAtMost } from "@s3ec/envelope";
import { isError } from "@s3ec/materials";
import { unlessAborted } from "../request-aborted.js";
import { httpStatusOf } from "../s3-errors.js";
import { quiet, sendsNodeStreams } from "../streams.js";
import type { Telemetry } from "../telemetry/telemetry.js";

/**
 * Sends a body that is made anew for each attempt. The SDK never sends a stream again, so that whether and when is asked
 * here, of the same strategy: the client's own. A body that fails is not made again. A client that sends no streams of
 * Node's is given the body's bytes, which the SDK sends again by itself.
 */
export async function retried<Output>(
  client: S3Client,
  telemetry: Telemetry,
  signal: AbortSignal,
  makeBody: () => Readable,
  send: (body: Readable | Uint8Array) => Promise<Output>,
): Promise<Output> {
  if (!sendsNodeStreams(client)) return await send(await readAtMost(makeBody(), Number.POSITIVE_INFINITY));
  const { config } = client;
  const strategy = await config.retryStrategy();
  // One of the first generation only wraps the SDK's own requests.
  const asks = "acquireInitialRetryToken" in strategy ? strategy : undefined;
  let token = await asks?.acquireInitialRetryToken("");
  while (true) {
    signal.throwIfAborted();
    const body = makeBody();
    quiet(body);
    try {
      const output = await send(body);
      if (token !== undefined) asks?.recordSuccess(token);
      return output;
    } catch (error) {
      if (body.errored) throw body.errored;
      if (signal.aborted || token === undefined || asks === undefined || !isError(error)) throw error;
      const next = asks.refreshRetryTokenForRetry(token, {
        error: error as Error & { cause?: Error },
        errorType: errorTypeOf(error),
      });
      token = await unlessAborted(() => next, signal).catch(() => undefined);
      if (token === undefined) throw error;
      telemetry.retrying(error);
    } finally {
      body.destroy();
    }
    await delay(token.getRetryDelay(), undefined, { signal });
  }
}

/** What S3 says when it is asked too much. */
const THROTTLED: ReadonlySet<string> = new Set([
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "RequestLimitExceeded",
]);
/** Statuses that the SDK sends a request again after. */
const AGAIN: ReadonlySet<number> = new Set([500, 502, 503, 504]);
/** What it says, with a status of the caller's mistakes, of a connection that was too slow. */
const TRANSIENT: ReadonlySet<string> = new Set(["RequestTimeout", "RequestTimeoutException", "TimeoutError"]);

function errorTypeOf(error: Error): "THROTTLING" | "TRANSIENT" | "SERVER_ERROR" | "CLIENT_ERROR" {
  const status = httpStatusOf(error);
  if (status === 429 || THROTTLED.has(error.name)) return "THROTTLING";
  // Without an answer: of the connection, which Node names by a code; not, for example, that there are no credentials.
  const broke = status === undefined && "code" in error && typeof error.code === "string";
  if (broke || TRANSIENT.has(error.name) || (status !== undefined && AGAIN.has(status))) return "TRANSIENT";
  return status !== undefined && status >= 500 ? "SERVER_ERROR" : "CLIENT_ERROR";
}
