/** Milliseconds; an answer that takes longer is waited for by nobody who has aborted. */
const PATIENCE = 3000;

/**
 * A signal for a request that changes what stands: it aborts only some time after the caller's, so that its answer can
 * arrive. Cut off at once, it might still be carried out behind everything that is done about the abort.
 */
export function patient(signal: AbortSignal): AbortSignal {
  const late = new AbortController();
  const wait = (): void => void setTimeout(() => late.abort(), PATIENCE).unref();
  if (signal.aborted) wait();
  else signal.addEventListener("abort", wait, { once: true });
  return late.signal;
}
