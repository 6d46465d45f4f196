import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startDevServer } from "@s3ec/dev-server";
import { attempt } from "./attempt.js";
import { MATRIX, rowsOfMatrix, rowsOfTests, TESTS, withRows } from "./matrix.js";
import type { Recipe, Result } from "./recipe.js";
import { RECIPES } from "./recipes.js";
import { PackedPackages } from "./registry.js";
import { run } from "./run.js";
import { CORE, runSuite, type SuiteResult, testFiles } from "./suites/run-suite.js";
import { SUITES, type Suite } from "./suites/suite.js";
import { NotToBeHad, Toolbox } from "./toolbox.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const PAGE = join(ROOT, "docs/runtimes.md");

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    file: { type: "string", multiple: true },
    core: { type: "boolean", default: false },
    output: { type: "boolean", default: false },
    jobs: { type: "string", default: "2" },
    list: { type: "boolean", default: false },
  },
});

/** Where things are tried, and with what. */
interface Place {
  readonly folder: string;
  /** Of every program: where caches are. */
  readonly env: Readonly<Record<string, string>>;
  readonly toolbox: Toolbox;
}

const JOBS = Math.max(1, Number(values.jobs));

const isChosen = ({ name }: Recipe | Suite) => values.only?.includes(name) ?? true;
const ALL = [...RECIPES, ...SUITES];
const unknown = values.only?.filter((name) => !ALL.some((each) => each.name === name)) ?? [];

if (values.list) for (const { name } of ALL) console.log(name);
else if (unknown.length > 0) refuse(`Nothing is called ${unknown.join(", ")}: --list names what there is.`);
else if (values.output && (values.core || values.file))
  refuse("The page tells of whole suites: leave out --core and --file.");
else if (values.core && values.file) refuse("--core names files itself: leave out --file.");
else await tryAll();

function refuse(why: string): void {
  console.error(why);
  process.exitCode = 2;
}

async function tryAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "s3ec-reach-"));
  try {
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
    const place = { folder, env, toolbox: new Toolbox(join(folder, "tools"), env) };
    const recipes = await tryRecipes(RECIPES.filter(isChosen), place);
    const suites = await trySuites(SUITES.filter(isChosen), place);
    if (values.output) {
      const page = withRows(await readFile(PAGE, "utf8"), MATRIX, rowsOfMatrix(recipes), RECIPES);
      await writeFile(PAGE, withRows(page, TESTS, rowsOfTests(suites), SUITES));
    }
    const count = (outcome: string) => recipes.filter((result) => result.outcome.outcome === outcome).length;
    const missing = count("not to be had here");
    if (missing > 0) console.log(`${missing} not to be had here`);
    const sum = (of: (result: SuiteResult) => number) => suites.reduce((before, result) => before + of(result), 0);
    const passed = count("passed") + count("refused by name") + sum((result) => result.passed);
    const failed = count("failed") + sum((result) => result.failed.length + result.notNeeded.length);
    console.log(`${passed} passed, ${failed} failed`);
    if (failed > 0 || passed === 0) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function tryRecipes(chosen: readonly Recipe[], { folder, env, toolbox }: Place): Promise<readonly Result[]> {
  if (chosen.length === 0) return [];
  const registry = (await run("npm", ["config", "get", "registry"], { cwd: folder })).trim();
  await using packages = await PackedPackages.start(ROOT, join(folder, "packed"));
  const server = await startDevServer({ buckets: RECIPES.map(({ name }) => name), aliases: ["alias/app"] });
  try {
    const bench = { toolbox, packages, server, folder: join(folder, "recipes"), env, registry };
    const results: Result[] = [];
    const waiting = [...chosen.entries()];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, recipe] = next;
        const started = Date.now();
        const result = await attempt(recipe, bench);
        const { outcome } = result;
        results[index] = result;
        say(outcome.outcome, recipe.name, started);
        if ("why" in outcome) explain(outcome.why);
      }
    };
    await Promise.all(Array.from({ length: JOBS }, work));
    return results;
  } finally {
    await server.close();
  }
}

async function trySuites(chosen: readonly Suite[], place: Place): Promise<readonly SuiteResult[]> {
  const results: SuiteResult[] = [];
  for (const suite of chosen) {
    const started = Date.now();
    try {
      const result = await runSuite(suite, {
        ...place,
        root: ROOT,
        files: await testFiles(ROOT, suite, values.core ? CORE : values.file),
        jobs: JOBS,
        onFailure: ({ file, title, why }) => explain(`${file}: ${title}\n${why}`),
      });
      results.push(result);
      const { passed, skipped, known, failed, notNeeded } = result;
      const isWell = failed.length + notNeeded.length === 0;
      const counts = `${passed} tests passed, ${failed.length} failed, ${known} fail as is known, ${skipped} skipped`;
      say(isWell ? "passed" : "failed", `${suite.name}: ${counts}`, started);
      for (const { file, title } of notNeeded) {
        explain(`${file}: ${title}\nNo test of that name fails any more: take it out of exceptions.ts.`);
      }
    } catch (error) {
      if (!(error instanceof NotToBeHad)) throw error;
      say("not to be had here", suite.name, started);
      explain(error.message);
    }
  }
  return results;
}

function say(outcome: string, what: string, started: number): void {
  console.log(`${outcome}: ${what} (${Math.round((Date.now() - started) / 1000)} s)`);
}

function explain(why: string): void {
  console.log(why.replaceAll(/^/gm, "  "));
}
