import type { StoredObject } from "@s3ec/bulk";
import { Presets, SingleBar } from "cli-progress";

export interface ObjectsProgress extends Disposable {
  readonly add: () => void;
  readonly stop: () => void;
}

/**
 * A bar on standard error, where that is a terminal and no results are printed on it. How many objects there are is counted
 * meanwhile, by listing them once more; until then there is no estimate.
 *
 * @param objects to be counted; undefined where they can be read only once
 */
export function objectsProgress(
  objects: () => Promise<AsyncIterable<StoredObject> | undefined>,
  isSummary: boolean,
): ObjectsProgress {
  const isShown = process.stderr.isTTY === true && (isSummary || !process.stdout.isTTY);
  if (!isShown) return { add: () => {}, stop: () => {}, [Symbol.dispose]: () => {} };
  const bar = new SingleBar(
    { stream: process.stderr, format: "{bar} {value}/{total} objects | {left}", hideCursor: true },
    Presets.shades_classic,
  );
  const began = performance.now();
  let [done, total, isStopped, isCounted] = [0, 0, false, false];
  bar.start(1, 0, { left: "counting" });
  const show = (): void => {
    if (isStopped) return;
    bar.setTotal(Math.max(total, done, 1));
    bar.update(done, { left: isCounted ? timeLeft(done, total, performance.now() - began) : "counting" });
  };
  const count = async (): Promise<void> => {
    for await (const _ of (await objects()) ?? []) {
      if (isStopped) return;
      total += 1;
    }
    isCounted = total > 0;
  };
  // Where they cannot be counted, the run itself says why.
  count().catch(() => {});
  const stop = (): void => {
    if (!isStopped) bar.stop();
    isStopped = true;
  };
  return {
    add: () => {
      done += 1;
      show();
    },
    stop,
    [Symbol.dispose]: stop,
  };
}

/** At the pace of the run so far. */
export function timeLeft(done: number, total: number, elapsed: number): string {
  if (done === 0) return "";
  const seconds = Math.round(((total - done) * elapsed) / done / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const parts = hours > 0 ? [`${hours} h`, `${minutes} min`] : minutes > 0 ? [`${minutes} min`] : [`${seconds} s`];
  return `${parts.join(" ")} left`;
}
