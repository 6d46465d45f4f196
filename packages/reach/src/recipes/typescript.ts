import type { Recipe, Step } from "../recipe.js";

const MAIN = `import { putAndGet } from "./put-and-get.js";\nputAndGet().then(console.log);\n`;

/** Compiles `main.ts` and what it imports, declarations of ours included, and runs it. */
function compiled(
  packageType: "module" | "commonjs",
  options: Readonly<Record<string, unknown>>,
): Pick<Recipe, "manifest" | "files" | "steps"> {
  const compilerOptions = { target: "es2022", strict: true, types: ["node"], outDir: "out", rootDir: ".", ...options };
  const steps: Step[] = [
    ["tsc", "-p", "."],
    ["node", "out/main.js"],
  ];
  return {
    manifest: { type: packageType },
    files: { "main.ts": MAIN, "tsconfig.json": JSON.stringify({ compilerOptions, files: ["main.ts"] }) },
    steps,
  };
}

const versions = (typescript: string) => ({ typescript, "@types/node": "20" });

/** TypeScript, by its compiler and by what runs it. */
export const TYPESCRIPT: readonly Recipe[] = [
  {
    name: "typescript-5-4-commonjs",
    runtime: "Node 20",
    manager: "npm",
    modules: "CommonJS",
    loadedBy: "TypeScript {typescript}, `commonjs`",
    packages: versions("~5.4"),
    ...compiled("commonjs", {
      module: "commonjs",
      moduleResolution: "node",
      esModuleInterop: true,
      skipLibCheck: true,
    }),
  },
  {
    name: "typescript-5-4-node16",
    runtime: "Node 22",
    manager: "Yarn, node_modules",
    modules: "ES modules",
    loadedBy: "TypeScript {typescript}, `node16`",
    packages: versions("~5.4"),
    ...compiled("module", { module: "node16", skipLibCheck: true }),
  },
  {
    name: "typescript-5-8-nodenext",
    runtime: "Node 24",
    manager: "npm",
    modules: "CommonJS",
    loadedBy: "TypeScript {typescript}, `nodenext`",
    packages: versions("~5.8"),
    ...compiled("commonjs", { module: "nodenext", skipLibCheck: true }),
  },
  {
    name: "typescript-7-commonjs",
    runtime: "Node 22",
    manager: "npm",
    modules: "CommonJS",
    loadedBy: "TypeScript {typescript}, `commonjs`",
    packages: versions("~7.0"),
    ...compiled("commonjs", { module: "commonjs", moduleResolution: "bundler", skipLibCheck: true }),
  },
  {
    name: "typescript-7-nodenext",
    runtime: "Node 26",
    manager: "pnpm",
    modules: "ES modules",
    loadedBy: "TypeScript {typescript}, `nodenext`",
    packages: versions("~7.0"),
    ...compiled("module", { module: "nodenext", skipLibCheck: true }),
  },
  {
    name: "oldest-sdk",
    runtime: "Node 20",
    manager: "npm",
    modules: "ES modules",
    loadedBy: "TypeScript {typescript}, `nodenext`, with the SDK's {@aws-sdk/client-s3}",
    packages: { ...versions("~5.6"), "@aws-sdk/client-s3": "3.919.0" },
    ...compiled("module", { module: "nodenext", skipLibCheck: true }),
  },
  {
    name: "typescript-6-bundler",
    runtime: "Node 24",
    manager: "Yarn, node_modules",
    modules: "ES modules",
    loadedBy: "TypeScript {typescript}, `bundler`, and esbuild {esbuild}",
    packages: { ...versions("~6.0"), esbuild: "0" },
    ...compiled("module", { module: "preserve", noEmit: true }),
    steps: [
      ["tsc", "-p", "."],
      ["esbuild", "main.ts", "--bundle", "--platform=node", "--outfile=bundle.cjs"],
      ["node", "bundle.cjs"],
    ],
  },
  {
    name: "tsx",
    runtime: "Node 20",
    manager: "pnpm",
    modules: "CommonJS",
    loadedBy: "tsx {tsx}",
    packages: { tsx: "4" },
    manifest: { type: "commonjs" },
    files: { "main.ts": MAIN },
    steps: [["tsx", "main.ts"]],
  },
];
