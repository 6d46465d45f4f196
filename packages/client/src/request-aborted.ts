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
export function requestAborted(): Error {
  return Object.assign(new Error("Request aborted"), { name: "AbortError" });
}
