import type { Recipe, Step } from "../recipe.js";

const MAIN = `import { putAndGet } from "./put-and-get.mjs";\nputAndGet().then(console.log);\n`;
/** What is bundled has to do without what was installed: it is run elsewhere. */
const MOVED = ["node", "-e", `require("node:fs").rmSync("node_modules", { recursive: true })`] as const;

/** What a Lambda's runtime has. */
const WITHOUT_SDK = ["--external:@aws-sdk/*", "--external:@smithy/*"];

function esbuilt(outfile: string, ...flags: string[]): readonly Step[] {
  return [
    ["esbuild", "main.mjs", "--bundle", "--platform=node", `--outfile=${outfile}`, ...flags],
    ["node", outfile],
  ];
}

/** Bundles for Node, run where nothing is installed. */
export const BUNDLERS: readonly Recipe[] = [
  {
    name: "esbuild",
    runtime: "Node 24",
    manager: "Yarn, PnP",
    modules: "CommonJS",
    loadedBy: "esbuild {esbuild}",
    packages: { esbuild: "0" },
    files: { "main.mjs": MAIN },
    steps: [
      ["yarn", "esbuild", "main.mjs", "--bundle", "--platform=node", "--outfile=bundle.cjs"],
      ["node", "bundle.cjs"],
    ],
  },
  {
    name: "nodejs-function",
    runtime: "Node 22",
    manager: "npm",
    modules: "CommonJS",
    loadedBy: "esbuild {esbuild}, without the SDK, as CDK's `NodejsFunction` does",
    packages: { esbuild: "0", "@smithy/core": "3" },
    files: { "main.mjs": MAIN },
    steps: esbuilt("index.js", "--target=node22", ...WITHOUT_SDK),
  },
  {
    name: "nodejs-function-esm",
    runtime: "Node 22",
    manager: "pnpm",
    modules: "ES modules",
    loadedBy: "esbuild {esbuild}, without the SDK, as CDK's `NodejsFunction` does with `OutputFormat.ESM`",
    packages: { esbuild: "0", "@smithy/core": "3" },
    files: { "main.mjs": MAIN },
    steps: esbuilt("bundle.mjs", "--format=esm", ...WITHOUT_SDK),
  },
  {
    name: "sst",
    runtime: "Node 24",
    manager: "npm",
    modules: "ES modules",
    loadedBy: "esbuild {esbuild}, as SST does",
    packages: { esbuild: "0" },
    files: { "main.mjs": MAIN },
    steps: [
      [
        "esbuild",
        "main.mjs",
        "--bundle",
        "--platform=node",
        "--format=esm",
        "--target=esnext",
        "--main-fields=module,main",
        "--keep-names",
        "--banner:js=import { createRequire } from 'module'; const require = createRequire(import.meta.url);",
        "--outfile=bundle.mjs",
      ],
      MOVED,
      ["node", "bundle.mjs"],
    ],
  },
  {
    name: "webpack",
    runtime: "Node 22",
    manager: "Yarn, node_modules",
    modules: "CommonJS",
    loadedBy: "webpack {webpack}",
    packages: { webpack: "5", "webpack-cli": "6" },
    files: {
      "main.mjs": MAIN,
      "webpack.config.cjs": `module.exports = { mode: "production", target: "node", entry: "./main.mjs" };\n`,
    },
    steps: [["webpack"], MOVED, ["node", "dist/main.js"]],
  },
  {
    name: "rollup",
    runtime: "Node 26",
    manager: "npm",
    modules: "ES modules",
    loadedBy: "Rollup {rollup}",
    packages: {
      rollup: "4",
      "@rollup/plugin-node-resolve": "16",
      "@rollup/plugin-commonjs": "29",
      "@rollup/plugin-json": "6",
    },
    files: {
      "main.mjs": MAIN,
      "rollup.config.mjs": `import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
import resolve from "@rollup/plugin-node-resolve";

export default {
  input: "main.mjs",
  output: { file: "bundle.mjs", format: "es", inlineDynamicImports: true },
  plugins: [resolve({ preferBuiltins: true, exportConditions: ["node"] }), commonjs(), json()],
};
`,
    },
    steps: [["rollup", "--config", "rollup.config.mjs"], MOVED, ["node", "bundle.mjs"]],
  },
  {
    name: "vite-ssr",
    runtime: "Node 24",
    manager: "npm",
    modules: "ES modules",
    loadedBy: "Vite {vite}, SSR",
    packages: { vite: "8" },
    files: {
      "main.mjs": MAIN,
      "vite.config.mjs": `export default { build: { ssr: "main.mjs" }, ssr: { noExternal: true } };\n`,
    },
    steps: [["vite", "build"], MOVED, ["node", "dist/main.mjs"]],
  },
];
