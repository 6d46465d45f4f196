import type { Recipe } from "../recipe.js";

const MAIN = `import { putAndGet } from "./put-and-get.ts";\nconsole.log(await putAndGet());\n`;

/** Node's own TypeScript, and what is not Node. */
export const RUNTIMES: readonly Recipe[] = [
  {
    name: "node-26-types-stripped",
    runtime: "Node 26",
    manager: "Yarn, node_modules",
    modules: "ES modules",
    loadedBy: "Node itself, TypeScript",
    manifest: { type: "module" },
    files: { "main.ts": MAIN },
    steps: [["node", "main.ts"]],
  },
  {
    name: "bun-import",
    runtime: "Bun",
    manager: "bun",
    modules: "ES modules",
    loadedBy: "Bun itself, TypeScript",
    files: { "main.ts": MAIN },
    steps: [["bun", "run", "main.ts"]],
  },
  {
    name: "bun-require",
    runtime: "Bun",
    manager: "npm",
    modules: "CommonJS",
    loadedBy: "require",
    files: { "main.cjs": `const { putAndGet } = require("./put-and-get.cjs");\nputAndGet().then(console.log);\n` },
    steps: [["bun", "run", "main.cjs"]],
  },
  {
    name: "deno-import",
    runtime: "Deno",
    manager: "deno",
    modules: "ES modules",
    loadedBy: "Deno itself, TypeScript",
    files: { "main.ts": MAIN },
    steps: [["deno", "run", "--allow-env", "--allow-net", "--allow-read", "--allow-sys", "main.ts"]],
  },
  {
    name: "deno-node-modules",
    runtime: "Deno",
    manager: "pnpm",
    modules: "ES modules",
    loadedBy: "import",
    files: { "main.mjs": MAIN.replace(".ts", ".mjs") },
    steps: [["deno", "run", "--allow-env", "--allow-net", "--allow-read", "--allow-sys", "main.mjs"]],
  },
];
