import type { Recipe } from "../recipe.js";

const KEY = "8fLz9PX29/j5+vv8/f7/APHy8/T19vf4+fr7/P3+/wA=";
const CONFIG = JSON.stringify({
  s3: { region: "us-west-2" },
  keyring: { type: "raw-aes", wrappingKey: { base64: KEY } },
});

/** A program that puts, gets, prints and lists by starting `s3ec` as this says. */
const main = (started: string): string => `import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const [program, ...before] = ${started};
function s3ec(...args) {
  const options = { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
  const { status, stdout } = spawnSync(program, [...before, ...args, "--config", "s3ec.config.json"], options);
  if (status !== 0) process.exit(1);
  return stdout;
}
const object = \`s3://\${process.env.S3EC_BUCKET}/object\`;
const content = readFileSync("package.json", "utf8");
s3ec("put", "package.json", object);
s3ec("get", object, "copy.json");
if (readFileSync("copy.json", "utf8") !== content) throw new Error("Other bytes came back.");
if (!s3ec("cat", object).includes(content)) throw new Error("Other bytes were printed.");
if (!s3ec("ls", object).includes(\` \${content.length} object\`)) throw new Error("It was not listed.");
`;

const INSTALLED = {
  modules: "ES modules",
  loadedBy: "`s3ec`, with a configuration",
  packages: { "@s3ec/cli": "*", "@aws-sdk/client-kms": "3" },
} as const;
/** Where it is then: a runtime that is not Node is told to start it. */
const SCRIPT = "node_modules/@s3ec/cli/dist/bin.js";

/** Our own programs, which look for files and packages themselves. */
export const PROGRAMS: readonly Recipe[] = [
  {
    name: "cli-pnp",
    runtime: "Node 24",
    manager: "Yarn, PnP",
    ...INSTALLED,
    yarnrc: `packageExtensions:
  "@inversifyjs/container@*": { dependencies: { reflect-metadata: ~0.2.2 } }
  "@inversifyjs/reflect-metadata-utils@*": { dependencies: { reflect-metadata: ~0.2.2 } }
`,
    files: { "s3ec.config.json": CONFIG, "main.mjs": main('["yarn", "s3ec"]') },
    steps: [["node", "main.mjs"]],
  },
  {
    name: "cli-bun",
    runtime: "Bun",
    manager: "bun",
    ...INSTALLED,
    files: { "s3ec.config.json": CONFIG, "main.mjs": main(`[process.execPath, "${SCRIPT}"]`) },
    steps: [["bun", "run", "main.mjs"]],
  },
  {
    name: "cli-deno",
    runtime: "Deno",
    manager: "deno",
    ...INSTALLED,
    files: { "s3ec.config.json": CONFIG, "main.mjs": main(`[process.execPath, "run", "--allow-all", "${SCRIPT}"]`) },
    steps: [["deno", "run", "--allow-all", "main.mjs"]],
  },
];
