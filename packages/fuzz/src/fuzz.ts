import { Random } from "./random.js";
import type { Target } from "./target.js";

/** One input that must not have become what it became: the same seed, target and number make it again. */
export interface Finding {
  readonly target: string;
  readonly number: number;
  readonly error: unknown;
}

export interface Report {
  readonly findings: readonly Finding[];
  /** How often each target ended in each outcome. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Inputs tried, over all targets. */
  readonly tried: number;
}

export interface FuzzOptions {
  readonly seed: string;
  readonly targets: readonly Target[];
  /** Number of the first input; default 0. */
  readonly from?: number;
  /** Inputs for each target. */
  readonly count?: number;
  /** No new input after this many milliseconds. */
  readonly milliseconds?: number;
  /** An input that takes longer is a finding, since nothing here waits for anybody; default 20,000. */
  readonly mostPerInput?: number;
}

const MAX_FINDINGS = 20;

/** Tries inputs in turn until one of the bounds is reached, or enough went wrong. */
export async function fuzz(options: FuzzOptions): Promise<Report> {
  const {
    seed,
    targets,
    from = 0,
    count = Number.POSITIVE_INFINITY,
    milliseconds = Number.POSITIVE_INFINITY,
  } = options;
  const { mostPerInput = 20_000 } = options;
  const started = performance.now();
  const findings: Finding[] = [];
  const outcomes = new Map<string, Map<string, number>>(targets.map(({ name }) => [name, new Map()]));
  let tried = 0;
  for (let number = from; number < from + count; number++) {
    for (const target of targets) {
      if (performance.now() - started > milliseconds || findings.length >= MAX_FINDINGS) {
        return { findings, outcomes, tried };
      }
      tried++;
      try {
        const outcome = await inTime(target.try(new Random(`${seed} ${target.name} ${number}`)), mostPerInput);
        const counts = outcomes.get(target.name);
        counts?.set(outcome, (counts.get(outcome) ?? 0) + 1);
      } catch (error) {
        findings.push({ target: target.name, number, error });
      }
    }
  }
  return { findings, outcomes, tried };
}

async function inTime<T>(attempt: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("It does not come to an end.")), milliseconds);
  });
  try {
    return await Promise.race([attempt, late]);
  } finally {
    clearTimeout(timer);
  }
}
