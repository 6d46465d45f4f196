import { type DescribeKeyringOptions, describeKeyring } from "../dist/index.js";

/** Runs the kit with a runner of its own and answers each check's title with its failure, if it failed. */
export async function collect(options: DescribeKeyringOptions): Promise<ReadonlyMap<string, Error | undefined>> {
  const checks = new Map<string, () => Promise<void>>();
  describeKeyring("collected", {
    ...options,
    describe: (_, body) => body(),
    it: (title, body) => checks.set(title, body),
  });
  const results = new Map<string, Error | undefined>();
  for (const [title, run] of checks) {
    const failure = await run().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error : new Error("Something that is no Error was thrown.")),
    );
    results.set(title, failure);
  }
  return results;
}

export function failed(results: ReadonlyMap<string, Error | undefined>): string[] {
  return [...results].filter(([, failure]) => failure !== undefined).map(([title]) => title);
}
