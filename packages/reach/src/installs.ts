import type { Manager, Step } from "./recipe.js";

interface Install {
  /** Beside package.json: where packages of `@s3ec` come from, and all others. */
  files(ours: string, others: string): Readonly<Record<string, string>>;
  readonly command: Step;
  /** How a program of Node finds what was installed. */
  readonly node: Step;
}

const npmrc = (ours: string): Readonly<Record<string, string>> => ({ ".npmrc": `@s3ec:registry=${ours}\n` });

const yarn = (nodeLinker: string, node: Step): Install => ({
  files: (ours, others) => ({
    ".yarnrc.yml": `nodeLinker: ${nodeLinker}
npmRegistryServer: ${others}
npmScopes: { s3ec: { npmRegistryServer: "${ours}" } }
unsafeHttpWhitelist: ["127.0.0.1"]
enableTelemetry: false
enableScripts: false
`,
    "yarn.lock": "", // this folder is a project of its own
  }),
  command: ["yarn", "install", "--no-immutable"],
  node,
});

/** How each package manager installs what a package.json asks for. */
export const INSTALLS: Readonly<Record<Manager, Install>> = {
  npm: {
    files: npmrc,
    command: ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"],
    node: ["node"],
  },
  pnpm: {
    files: (ours) => ({ ...npmrc(ours), "pnpm-workspace.yaml": "packages: []\n" }),
    command: ["pnpm", "install", "--ignore-scripts"],
    node: ["node"],
  },
  "Yarn, node_modules": yarn("node-modules", ["node"]),
  "Yarn, PnP": yarn("pnp", ["yarn", "node"]),
  bun: { files: npmrc, command: ["bun", "install", "--ignore-scripts"], node: ["node"] },
  deno: { files: npmrc, command: ["deno", "install", "--node-modules-dir=auto"], node: ["node"] },
};
