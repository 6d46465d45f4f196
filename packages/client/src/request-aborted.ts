/** What the SDK rejects with when the caller's signal aborts a request. */
export function requestAborted(): Error {
  return Object.assign(new Error("Request aborted"), { name: "AbortError" });
}
