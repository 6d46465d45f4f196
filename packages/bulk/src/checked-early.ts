import { isError } from "@s3ec/materials";

/**
 * Has a call refuse wrong options before any object is asked for: it checks them before its first request, which the signal
 * then keeps it from sending.
 */
export async function checkedEarly(call: (abortSignal: AbortSignal) => Promise<unknown>): Promise<void> {
  try {
    await call(AbortSignal.abort());
  } catch (error) {
    if (!isError(error) || error.name !== "AbortError") throw error;
  }
}
