import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { candidates } from "./candidates.js";
import { readEquivalents } from "./equivalents.js";
import { figures, inOneLine } from "./figures.js";
import { Journal } from "./journal.js";
import { type MutateOptions, mutate } from "./mutate.js";
import { endTests } from "./run-tests.js";
import { sourceFiles } from "./source-files.js";

const USAGE = `npm run mutate -- [--rule-lines] [--max N] [--seed TEXT] [--jobs N] [--seconds N] [--tests FILE]... [--journal FILE] [--list] [--verbose] PATH...`;
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "rule-lines": { type: "boolean", default: false },
    max: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: "1" },
    seconds: { type: "string", default: "30" },
    tests: { type: "string", multiple: true, default: [] },
    journal: { type: "string" },
    list: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});
const [max, jobs, seconds] = [Number(values.max), Number(values.jobs), Number(values.seconds)];
if (positionals.length === 0 || ![max, jobs, seconds].every((number) => number >= 1)) {
  console.error(USAGE);
  process.exit(2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    endTests();
    process.exit(signal === "SIGINT" ? 130 : 143);
  });
}

const options: MutateOptions = {
  root: ROOT,
  files: positionals.flatMap((path) => sourceFiles(ROOT, path, values.tests)),
  equivalents: readEquivalents(new URL("../equivalent.json", import.meta.url)),
  seed: values.seed,
  max,
  ruleLines: values["rule-lines"],
  jobs,
  limit: seconds * 1000,
  journal: values.journal === undefined ? undefined : new Journal(values.journal),
  onTried: (tried) => {
    if (values.verbose || tried.outcome === "survived") console.log(inOneLine(tried));
  },
};
if (values.list) {
  const chosen = candidates(options);
  for (const { source, mutant } of chosen) console.log(`${source.path}:${mutant.line}: ${mutant.change}`);
  console.log(`${chosen.length} mutants`);
} else {
  const tried = await mutate(options);
  console.log(figures(tried));
  process.exitCode = tried.some(({ outcome }) => outcome === "survived") ? 1 : 0;
}
