import { setTimeout as delay } from "node:timers/promises";

/** The same items, so many a second at most. */
export async function* paced<Item>(
  items: AsyncIterable<Item>,
  rate: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item> {
  let next = performance.now();
  for await (const item of items) {
    signal?.throwIfAborted();
    if (rate !== undefined) {
      const wait = next - performance.now();
      // No burst makes up for a pause.
      next = Math.max(next, performance.now() - 1000 / rate) + 1000 / rate;
      if (wait > 0) await delay(wait, undefined, signal === undefined ? {} : { signal });
    }
    yield item;
  }
}
