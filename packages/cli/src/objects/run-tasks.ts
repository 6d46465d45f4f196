import { inParallel } from "@s3ec/bulk";
import { isError, S3EncryptionError } from "@s3ec/materials";
import type { OnBytes, TransferOutcome } from "./transfer-context.js";
import type { SkipReason, Step, TransferReport } from "./transfer-report.js";

/** One of many things that are done: or why it is not. */
export type Task =
  | {
      readonly step: Step;
      /** Bytes that are expected. */
      readonly size: number;
      readonly run: (onBytes: OnBytes) => Promise<TransferOutcome>;
    }
  | { readonly step: Step; readonly skip: SkipReason; readonly problem?: string }
  | { readonly step: Step; readonly error: unknown };

export interface RunOptions {
  /** Say what would be done. */
  readonly dryrun: boolean;
  readonly signal: AbortSignal;
  /** Done at once. Default 10. */
  readonly concurrency?: number;
}

const CONCURRENCY = 10;
/** Bytes above which one is sent or fetched in parts by itself, so that few at once fill memory and network. */
const LARGE = 8 * 1024 * 1024;
const LARGE_AT_ONCE = 2;
/** Tasks for each that is done that are known of, so that small ones pass those that wait for a large one to end. */
const KNOWN = 8;

/**
 * Does all of them, reports each in its order, and goes on where one fails; throws what would fail for all, and what `tasks`
 * throws. Then nothing more is begun, and what has ended by then is reported all the same: with `mv` its source is gone.
 */
export async function runTasks(
  tasks: AsyncIterable<Task>,
  report: TransferReport,
  { dryrun, signal, concurrency = CONCURRENCY }: RunOptions,
): Promise<void> {
  const { progress } = report;
  const [all, large] = [new Gate(concurrency), new Gate(LARGE_AT_ONCE)];
  let isEnding = false;
  async function* expected(): AsyncGenerator<Task> {
    for await (const task of tasks) {
      signal.throwIfAborted();
      if ("run" in task && !dryrun) progress.expect(task.size);
      yield task;
    }
    progress.allExpected();
  }
  const work = async (task: Task): Promise<() => Promise<void>> => {
    const { step } = task;
    if ("skip" in task) return () => report.skipped(step, task.skip, task.problem);
    if ("error" in task) return () => report.fail(step, task.error);
    if (dryrun) return () => report.done(step, { bytes: task.size });
    let came = 0;
    const run = async (): Promise<TransferOutcome | undefined> => {
      // It may have waited for others, of which one has failed.
      if (isEnding || signal.aborted) return undefined;
      return await task.run((bytes) => {
        progress.advance(bytes - came);
        came = bytes;
      });
    };
    try {
      const inTurn = (): Promise<TransferOutcome | undefined> => all.pass(run);
      const outcome = await (task.size > LARGE ? large.pass(inTurn) : inTurn());
      if (outcome === undefined) return async () => {};
      if (outcome.state === "skipped") return () => report.skipped(step, outcome.reason);
      const { state: _, ...result } = outcome;
      return () => report.done(step, result);
    } catch (error) {
      if (!signal.aborted && !isForAll(error, task.size)) return () => report.fail(step, error);
      const isFirst = !isEnding;
      isEnding = true;
      if (signal.aborted) throw signal.reason;
      // At which one it ended; others that were on their way have the same to say.
      if (isFirst) await report.fail(step, error);
      throw error;
    } finally {
      progress.end(task.size, came);
    }
  };
  for await (const tell of inParallel(expected(), concurrency * KNOWN, work)) await tell();
  signal.throwIfAborted();
}

/**
 * What is wrong with the configuration or the machine would only be said again of each that follows. Of a disk that is what a
 * write was told: where a large one is refused that would not fit, before anything of it is written, small ones may.
 */
function isForAll(error: unknown, size: number): boolean {
  if (error instanceof S3EncryptionError) {
    return error.code === "invalid-configuration" || isForAll(error.cause, size);
  }
  const isFull = isError(error) && (error.code === "ENOSPC" || error.code === "EDQUOT");
  return isFull && ("syscall" in error || size <= LARGE);
}

/** Lets only so many through at once. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
