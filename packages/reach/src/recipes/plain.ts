import type { Recipe } from "../recipe.js";

const esModules = {
  modules: "ES modules",
  loadedBy: "import",
  files: { "main.mjs": `import { putAndGet } from "./put-and-get.mjs";\nconsole.log(await putAndGet());\n` },
  steps: [["node", "main.mjs"]],
} as const;

const commonJs = {
  modules: "CommonJS",
  loadedBy: "require",
  files: { "main.cjs": `const { putAndGet } = require("./put-and-get.cjs");\nputAndGet().then(console.log);\n` },
  steps: [["node", "main.cjs"]],
} as const;

/** Node with nothing in between. */
export const PLAIN: readonly Recipe[] = [
  { name: "node-20-import", runtime: "Node 20", manager: "npm", ...esModules },
  { name: "node-20-require", runtime: "Node 20", manager: "Yarn, node_modules", ...commonJs },
  { name: "node-22-pnp-import", runtime: "Node 22", manager: "Yarn, PnP", ...esModules },
  { name: "node-22-require", runtime: "Node 22", manager: "pnpm", ...commonJs },
  { name: "node-24-pnp-require", runtime: "Node 24", manager: "Yarn, PnP", ...commonJs },
  { name: "node-26-import", runtime: "Node 26", manager: "pnpm", ...esModules },
  { name: "node-26-require", runtime: "Node 26", manager: "npm", ...commonJs },
];
