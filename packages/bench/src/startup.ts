import { execFileSync } from "node:child_process";
import { median } from "./contest.js";
import type { Table } from "./report.js";

const RUNS = 9;

/** What importing the client adds to importing the SDK, in fresh processes. */
export function importTable(): Table {
  const modules = ["@aws-sdk/client-s3", "@s3ec/client"];
  const timed = modules.map(
    (name) => `start = performance.now(); await import(${JSON.stringify(import.meta.resolve(name))});
    times.push(performance.now() - start);`,
  );
  const script = `let start; const times = []; ${timed.join("")} console.log(JSON.stringify(times));`;
  const runs = Array.from({ length: RUNS }, (): number[] =>
    JSON.parse(execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", script]).toString()),
  );
  const [sdk, client] = modules.map((_, index) => `${median(runs.map((times) => times[index] ?? 0)).toFixed(0)} ms`);
  return {
    title: "Time to import",
    columns: ["", "time"],
    rows: [
      ["`@aws-sdk/client-s3`", sdk ?? ""],
      ["`@s3ec/client` after it", `${client} more`],
    ],
  };
}
