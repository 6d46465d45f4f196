import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startDevServer } from "@s3ec/dev-server";
import { attempt } from "./attempt.js";
import { matrix, withMatrix } from "./matrix.js";
import type { Result } from "./recipe.js";
import { RECIPES } from "./recipes.js";
import { PackedPackages } from "./registry.js";
import { run } from "./run.js";
import { Toolbox } from "./toolbox.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const PAGE = join(ROOT, "docs/runtimes.md");

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    output: { type: "boolean", default: false },
    jobs: { type: "string", default: "2" },
    list: { type: "boolean", default: false },
  },
});

const chosen = RECIPES.filter(({ name }) => values.only?.includes(name) ?? true);
const unknown = values.only?.filter((name) => !RECIPES.some((recipe) => recipe.name === name)) ?? [];

if (values.list) for (const { name } of RECIPES) console.log(name);
else if (unknown.length > 0) refuse(`No combination is called ${unknown.join(", ")}: --list names them.`);
else if (values.output && values.only) refuse("The matrix is written of all combinations: leave out --only.");
else await tryAll();

function refuse(why: string): void {
  console.error(why);
  process.exitCode = 2;
}

async function tryAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "s3ec-reach-"));
  try {
    const results = await resultsIn(folder);
    if (values.output) await writeFile(PAGE, withMatrix(await readFile(PAGE, "utf8"), matrix(results)));
    const count = (outcome: string) => results.filter((result) => result.outcome.outcome === outcome).length;
    const missing = count("not to be had here");
    if (missing > 0) console.log(`${missing} not to be had here`);
    const passed = count("passed") + count("refused by name");
    console.log(`${passed} passed, ${count("failed")} failed`);
    if (count("failed") > 0 || passed === 0) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function resultsIn(folder: string): Promise<readonly Result[]> {
  // What package managers keep for the next time goes with the folder.
  const cache = (name: string) => join(folder, "caches", name);
  const env = {
    npm_config_cache: cache("npm"),
    npm_config_update_notifier: "false",
    XDG_CACHE_HOME: cache("xdg"),
    XDG_DATA_HOME: cache("xdg-data"),
    XDG_STATE_HOME: cache("xdg-state"),
    YARN_GLOBAL_FOLDER: cache("yarn"),
    BUN_INSTALL_CACHE_DIR: cache("bun"),
    DENO_DIR: cache("deno"),
    DENO_TLS_CA_STORE: "system",
    DENO_NO_UPDATE_CHECK: "1",
  };
  for (const name of ["packed", "tools", "recipes"]) await mkdir(join(folder, name));
  const registry = (await run("npm", ["config", "get", "registry"], { cwd: folder })).trim();
  await using packages = await PackedPackages.start(ROOT, join(folder, "packed"));
  const server = await startDevServer({ buckets: RECIPES.map(({ name }) => name), aliases: ["alias/app"] });
  try {
    const toolbox = new Toolbox(join(folder, "tools"), env);
    const bench = { toolbox, packages, server, folder: join(folder, "recipes"), env, registry };
    const results: Result[] = [];
    const waiting = [...chosen.entries()];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, recipe] = next;
        const started = Date.now();
        const result = await attempt(recipe, bench);
        results[index] = result;
        say(result, Date.now() - started);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, work));
    return results;
  } finally {
    await server.close();
  }
}

function say({ recipe, outcome }: Result, milliseconds: number): void {
  console.log(`${outcome.outcome}: ${recipe.name} (${Math.round(milliseconds / 1000)} s)`);
  if ("why" in outcome) console.log(outcome.why.replaceAll(/^/gm, "  "));
}
