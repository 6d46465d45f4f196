import type { ReadAhead } from "../read/read-ahead.js";
import { type PinnedObject, takeRange, type WantedRange } from "./range-reading.js";

/** Takes the bytes of one range, in order. */
export interface RangeTaker {
  /** Gives a promise where nothing more can be taken before that is kept. */
  take(chunk: Uint8Array): Promise<unknown> | undefined;
  /** Resolves when everything has its place. To be called once, also after a failure. */
  end(): Promise<void>;
}

export interface PlacedRanges {
  /** The object's first range, where it is there already or on its way. */
  readonly first: ReadAhead | undefined;
  readonly others: Iterable<WantedRange>;
  /** Ranges fetched at once. */
  readonly queueSize: number;
  /** Takes the range that begins at this byte of the stored object. */
  readonly takerAt: (first: number) => RangeTaker;
  /** Ends what is being fetched. */
  readonly destroy: () => void;
}

/**
 * Hands on ranges of an object as they arrive, several at once and in no order. Resolves when every one was taken; rejects
 * with the first failure, and not before nothing of it goes on.
 */
export async function rangesInPlaces(object: PinnedObject, ranges: PlacedRanges): Promise<void> {
  const { first, others, queueSize, takerAt, destroy } = ranges;
  const left = others[Symbol.iterator]();
  let failed: { readonly error: unknown } | undefined;
  const taking = async (from: number, work: (taker: RangeTaker) => Promise<void>): Promise<void> => {
    const taker = takerAt(from);
    try {
      await work(taker);
    } finally {
      await taker.end();
    }
  };
  const worker = async (bytes: ReadAhead | undefined): Promise<void> => {
    try {
      if (bytes !== undefined) await taking(0, (taker) => takeHeld(bytes, taker));
      for (let next = left.next(); next.done !== true && failed === undefined; next = left.next()) {
        const wanted = next.value;
        await taking(wanted.first, (taker) => takeRange(object, wanted, (chunk) => taker.take(chunk)));
      }
    } catch (error) {
      failed ??= { error };
      destroy();
    }
  };
  await Promise.all(Array.from({ length: queueSize }, (_, index) => worker(index === 0 ? first : undefined)));
  if (failed !== undefined) throw failed.error;
}

async function takeHeld(bytes: ReadAhead, taker: RangeTaker): Promise<void> {
  for await (const chunk of bytes.chunks()) await taker.take(chunk);
}
