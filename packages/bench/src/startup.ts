import { execFileSync } from "node:child_process";
import { median } from "./contest.js";
import type { Table } from "./report.js";

const RUNS = 9;

/** What importing the client adds to importing the SDK. */
export function importTable(): Table {
  const milliseconds = (...modules: string[]): number => {
    const imports = modules.map((name) => `await import(${JSON.stringify(import.meta.resolve(name))});`).join("");
    const script = `const start = performance.now(); ${imports} console.log(performance.now() - start);`;
    const run = (): number =>
      Number(execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", script]).toString());
    return median(Array.from({ length: RUNS }, run));
  };
  const sdk = milliseconds("@aws-sdk/client-s3");
  const both = milliseconds("@aws-sdk/client-s3", "@s3ec/client");
  return {
    title: "Time to import",
    columns: ["", "time"],
    rows: [
      ["`@aws-sdk/client-s3`", `${sdk.toFixed(0)} ms`],
      ["`@s3ec/client` after it", `${(both - sdk).toFixed(0)} ms more`],
    ],
  };
}
