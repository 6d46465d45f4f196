/** What is known of a transfer's pace. */
export interface TransferPace {
  /** Bytes a second, over the last seconds. Absent at the beginning. */
  readonly bytesPerSecond?: number;
  /** Seconds that are left at that pace. Absent where the pace or the total is not known. */
  readonly secondsLeft?: number;
}

/** Milliseconds that the pace is taken over. */
const SPAN = 5_000;
/** Milliseconds between two points in time that are remembered. */
const STEP = 100;

interface Moment {
  readonly time: number;
  readonly loaded: number;
}

/** Tells the pace of a transfer from how far it was when. */
export class TransferSpeed {
  readonly #total: number | undefined;
  readonly #now: () => number;
  #moments: Moment[];

  /**
   * @param total bytes of all of it, where known
   * @param loaded bytes that were there before it began
   * @param now milliseconds, of a clock that nobody sets
   */
  constructor(total: number | undefined, loaded = 0, now: () => number = () => performance.now()) {
    this.#total = total;
    this.#now = now;
    this.#moments = [{ time: now(), loaded }];
  }

  /** Counts bytes that turned out to be there already as such: they say nothing of the pace. */
  skip(length: number): void {
    this.#moments = this.#moments.map(({ time, loaded }) => ({ time, loaded: loaded + length }));
  }

  /** To be called with every step that it makes, and the bytes so far. */
  at(loaded: number): TransferPace {
    const time = this.#now();
    const moments = this.#moments;
    // The oldest one that is remembered is as old as the span, or a little older.
    while (moments[1] !== undefined && time - moments[1].time >= SPAN) moments.shift();
    const [oldest, newest] = [moments[0], moments.at(-1)];
    if (newest === undefined || time - newest.time >= STEP) moments.push({ time, loaded });
    if (oldest === undefined || time <= oldest.time || loaded <= oldest.loaded) return {};
    const bytesPerSecond = ((loaded - oldest.loaded) * 1000) / (time - oldest.time);
    if (this.#total === undefined) return { bytesPerSecond };
    return { bytesPerSecond, secondsLeft: Math.max(0, this.#total - loaded) / bytesPerSecond };
  }
}
