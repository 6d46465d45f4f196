import { setMaxListeners } from "node:events";
import type { Readable } from "node:stream";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { quiet } from "./streams.js";

// One for all calls with a signal: as of the SDK's requests, the last to take its `onabort` would be the only one to end.
const LISTENED = new WeakMap<object, AbortController>();

/**
 * The caller's signal, as one of this runtime: what the SDK takes for one may be a package's, of which `AbortSignal.any` hears
 * nothing, or have no more than `onabort`. Undefined for none. Throws `invalid-argument` for anything else, such as its
 * controller.
 */
export function abortSignalOf(given: unknown): AbortSignal | undefined {
  if (given === undefined || given === null || given instanceof AbortSignal) return given ?? undefined;
  if (!isSignal(given)) {
    throw new S3EncryptionError("invalid-argument", "abortSignal must be an AbortSignal, such as controller.signal.");
  }
  const known = LISTENED.get(given);
  const controller = known ?? new AbortController();
  LISTENED.set(given, controller);
  const onAbort = (): void => controller.abort();
  if (given.aborted) onAbort();
  if (typeof given.addEventListener !== "function") given.onabort = onAbort;
  else if (known === undefined) given.addEventListener("abort", onAbort);
  return controller.signal;
}

/** One that every request under way listens to: Node takes more than ten for a leak, and warns. */
export function abortsMany(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

function isSignal(given: unknown): given is AbortSignal {
  if (typeof given !== "object" || given === null || typeof Reflect.get(given, "aborted") !== "boolean") return false;
  return "onabort" in given || typeof Reflect.get(given, "addEventListener") === "function";
}

/** A body that fails once its caller has aborted, for as long as it is read. Throws `requestAborted()` where that was before. */
export function untilAborted(body: Readable, signal: AbortSignal | undefined): Readable {
  if (signal === undefined) return body;
  quiet(body);
  if (signal.aborted) {
    body.destroy();
    throw requestAborted();
  }
  const onAbort = (): void => void body.destroy(requestAborted());
  signal.addEventListener("abort", onAbort, { once: true });
  body.once("close", () => signal.removeEventListener("abort", onAbort));
  return body;
}

/**
 * Awaits what nobody can end, such as a key store that does not answer or a body that stalls, for as long as the caller wants it.
 * Rejects with `requestAborted()`; what comes of the work then is for nobody. Not begun for a caller who has aborted by then.
 */
export async function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work();
  if (signal.aborted) throw requestAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(requestAborted());
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** What the SDK rejects with when the caller's signal aborts a request. */
export function requestAborted(cause?: Error): Error {
  const options = cause === undefined ? undefined : { cause };
  return Object.assign(new Error("Request aborted", options), { name: "AbortError" });
}

export function isAbort(error: unknown): error is Error {
  return isError(error) && error.name === "AbortError";
}

/** Of a request that was sent as its caller aborted, and had no answer. */
export function outcomeUnknown(): S3EncryptionError {
  return new S3EncryptionError(
    "outcome-unknown",
    "Whether the object was stored cannot be told: the request was aborted after it had been sent, and had no answer. Look at the object.",
  );
}

/** What is known of a failure beside that it was aborted: that the outcome is not. */
export function outcomeOf(error: unknown): S3EncryptionError | undefined {
  const told = isAbort(error) ? error.cause : error;
  return told instanceof S3EncryptionError && told.code === "outcome-unknown" ? told : undefined;
}
