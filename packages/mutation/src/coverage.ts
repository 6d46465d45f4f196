import { type Profiler, Session } from "node:inspector";

/** What was executed since the moment before: by a test, or by a file of tests while it was loaded. */
export interface Moment {
  readonly file: string;
  /** Name of the test; missing for the load of the file. */
  readonly test?: string;
  /** Milliseconds. */
  readonly took?: number;
  /** Those of the positions asked for that were executed, by the URL of the file that they are in, for each that was loaded. */
  readonly executed: Readonly<Record<string, readonly number[]>>;
}

/** Tells which positions of built files this process executes, by V8's own counters. */
export class Coverage {
  readonly moments: Moment[] = [];
  readonly #session = new Session();
  readonly #positions: Readonly<Record<string, readonly number[]>>;

  /** @param positions - offsets in built files, by URL */
  constructor(positions: Readonly<Record<string, readonly number[]>>) {
    this.#positions = positions;
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Ends a moment: what was executed since the last call belongs to it. */
  take(moment: Omit<Moment, "executed">): void {
    this.#session.post("Profiler.takePreciseCoverage", (error, taken) => {
      if (error !== null) throw error;
      const executed: Record<string, number[]> = {};
      for (const { url, functions } of taken.result) {
        const positions = this.#positions[url];
        if (positions !== undefined) executed[url] = positions.filter((at) => isExecuted(functions, at));
      }
      this.moments.push({ ...moment, executed });
    });
  }
}

/** The innermost range around a position says how often it was executed. */
function isExecuted(functions: readonly Profiler.FunctionCoverage[], at: number): boolean {
  let innermost: Profiler.CoverageRange | undefined;
  for (const { ranges } of functions) {
    for (const range of ranges) {
      if (at < range.startOffset || at >= range.endOffset) continue;
      if (innermost === undefined || lengthOf(range) <= lengthOf(innermost)) innermost = range;
    }
  }
  return innermost !== undefined && innermost.count > 0;
}

function lengthOf({ startOffset, endOffset }: Profiler.CoverageRange): number {
  return endOffset - startOffset;
}
