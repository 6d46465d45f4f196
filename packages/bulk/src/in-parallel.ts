/** Results of one item that wait for those before them, for each that is worked on. */
const WAITING = 8;

/**
 * Does something with every item, so many of them at once, and gives what comes of them in the items' order. No more items
 * are asked for than are being worked on, or wait for a slow one before them: up to 8 for each.
 *
 * Nothing is begun any more once one has failed, wherever it stands.
 *
 * @throws what `items` throws, and the first that `work` throws, once nothing is under way, and all that was done is given
 */
export async function* inParallel<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const queue: Slot<Result>[] = [];
  let running = 0;
  let hasFailed = false;
  let wake = (): void => {};
  const begin = async (item: Item, slot: Slot<Result>): Promise<void> => {
    running += 1;
    try {
      slot.done = { result: await work(item) };
    } catch (error) {
      slot.done = { error };
      hasFailed = true;
    }
    running -= 1;
    wake();
  };
  const oneDone = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  let failure: { readonly error: unknown } | undefined;
  function* ready(): Generator<Result> {
    for (let [head] = queue; head?.done !== undefined; [head] = queue) {
      queue.shift();
      if ("result" in head.done) yield head.done.result;
      else failure ??= head.done;
    }
  }
  try {
    try {
      for await (const item of items) {
        const slot: Slot<Result> = {};
        queue.push(slot);
        void begin(item, slot);
        yield* ready();
        while (running >= concurrency || queue.length >= concurrency * WAITING) {
          await oneDone();
          yield* ready();
        }
        if (hasFailed) break;
      }
    } catch (error) {
      failure ??= { error };
    }
    // What has ended behind a slow one that fails was done all the same.
    while (queue.length > 0) {
      yield* ready();
      if (running > 0 && queue.length > 0) await oneDone();
    }
    if (failure !== undefined) throw failure.error;
  } finally {
    // Whoever stops early is not to find work under way behind his back.
    while (running > 0) await oneDone();
  }
}

interface Slot<Result> {
  done?: { readonly result: Result } | { readonly error: unknown };
}
