import { parseArgs } from "node:util";
import { type Finding, fuzz } from "./fuzz.js";
import { TARGETS } from "./targets.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seconds: { type: "string", default: "60" },
    target: { type: "string", multiple: true },
    number: { type: "string" },
  },
});
const seed = values.seed ?? String(Date.now());
const seconds = Number(values.seconds);
const number = values.number === undefined ? undefined : Number(values.number);
const targets = TARGETS.filter(({ name }) => values.target === undefined || values.target.includes(name));
if (!(seconds > 0) || targets.length === 0 || (number !== undefined && !Number.isSafeInteger(number))) {
  const names = TARGETS.map(({ name }) => name).join(", ");
  console.error(`npm run fuzz -- [--seed TEXT] [--seconds N] [--target NAME]... [--number N]\nTargets: ${names}.`);
  process.exit(2);
}

console.log(`seed ${seed}`);
const { findings, outcomes, tried } = await fuzz({
  seed,
  targets,
  milliseconds: seconds * 1000,
  ...(number === undefined ? {} : { from: number, count: 1 }),
});
for (const [target, counts] of outcomes) {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  console.log(`${target}: ${sorted.map(([outcome, count]) => `${outcome} ${count}`).join(", ")}`);
}
for (const finding of findings) console.error(described(finding));
console.log(`${tried} inputs, ${findings.length} findings`);
process.exitCode = findings.length > 0 ? 1 : 0;

function described({ target, number, error }: Finding): string {
  const again = `npm run fuzz -- --seed ${JSON.stringify(seed)} --target ${target} --number ${number}`;
  return `${target} ${number}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n  ${again}`;
}
