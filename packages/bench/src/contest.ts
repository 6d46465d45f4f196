/** What one contender took, for one run. */
export interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export async function measure(work: () => Promise<unknown>): Promise<Run> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

/**
 * Lets contenders do the same work in turns, so that what slows the machine down slows all of them, and takes the
 * medians. The first round warms up and does not count, unless it is the only one.
 */
export async function contest<Name extends string>(
  rounds: number,
  contenders: Readonly<Record<Name, () => Promise<unknown>>>,
): Promise<Record<Name, Run>> {
  const entries = Object.entries<() => Promise<unknown>>(contenders);
  const runs = new Map(entries.map(([name]): [string, Run[]] => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    // Every other round backwards, so that nobody always follows the same one.
    for (const [name, work] of round % 2 === 0 ? entries : entries.toReversed()) {
      const run = await measure(work);
      if (round > 0) runs.get(name)?.push(run);
    }
  }
  const medians = entries.map(([name]) => [name, medianOf(runs.get(name) ?? [])]);
  return Object.fromEntries(medians);
}

function medianOf(runs: readonly Run[]): Run {
  return { seconds: median(runs.map((run) => run.seconds)), cpuSeconds: median(runs.map((run) => run.cpuSeconds)) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
