import type { Runtime, Step } from "../recipe.js";

/** A runtime in which the tests of our own packages are run, as they are in this repository. */
export interface Suite {
  readonly name: string;
  readonly runtime: Exclude<Runtime, "workerd" | "Chromium">;
  /** The runtime's program, and what it wants before a program's name. */
  readonly program: Step;
  /** Packages whose tests it does not run. */
  readonly without?: readonly string[];
}

/** It starts Node's own programs, as users do. */
const COMMAND_LINE = ["cli"];

/** Node 20, the floor, runs them with `npm test`. */
export const SUITES: readonly Suite[] = [
  { name: "unit-node-22", runtime: "Node 22", program: ["node"] },
  { name: "unit-node-24", runtime: "Node 24", program: ["node"] },
  { name: "unit-node-26", runtime: "Node 26", program: ["node"] },
  { name: "unit-bun", runtime: "Bun", program: ["bun"], without: COMMAND_LINE },
  {
    name: "unit-deno",
    runtime: "Deno",
    program: ["deno", "run", "--allow-all", "--node-modules-dir=manual"],
    without: COMMAND_LINE,
  },
];
