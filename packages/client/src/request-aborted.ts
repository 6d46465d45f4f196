import { isError, S3EncryptionError } from "@s3ec/materials";

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
