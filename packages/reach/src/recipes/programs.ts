import type { Recipe } from "../recipe.js";

const KEY = "8fLz9PX29/j5+vv8/f7/APHy8/T19vf4+fr7/P3+/wA=";
const CONFIG = JSON.stringify({
  s3: { region: "us-west-2" },
  keyring: { type: "raw-aes", wrappingKey: { base64: KEY } },
});

const MAIN = `import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const { S3EC_BUCKET } = process.env;
for (const files of [["package.json", \`s3://\${S3EC_BUCKET}/object\`], [\`s3://\${S3EC_BUCKET}/object\`, "copy.json"]]) {
  const verb = files[0] === "package.json" ? "put" : "get";
  const { status } = spawnSync("yarn", ["s3ec", verb, ...files, "--config", "s3ec.config.json"], { stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
if (readFileSync("copy.json", "utf8") !== readFileSync("package.json", "utf8")) throw new Error("Other bytes came back.");
`;

/** Our own programs, which look for files and packages themselves. */
export const PROGRAMS: readonly Recipe[] = [
  {
    name: "cli-pnp",
    runtime: "Node 24",
    manager: "Yarn, PnP",
    modules: "ES modules",
    loadedBy: "`s3ec`, with a configuration",
    packages: { "@s3ec/cli": "*", "@aws-sdk/client-kms": "3" },
    yarnrc: `packageExtensions:
  "@inversifyjs/container@*": { dependencies: { reflect-metadata: ~0.2.2 } }
  "@inversifyjs/reflect-metadata-utils@*": { dependencies: { reflect-metadata: ~0.2.2 } }
`,
    files: { "s3ec.config.json": CONFIG, "main.mjs": MAIN },
    steps: [["node", "main.mjs"]],
  },
];
