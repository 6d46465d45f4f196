import { appendFile, mkdir, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import type { DevServer } from "@s3ec/dev-server";
import { CONSUMER } from "./consumer.js";
import { INSTALLS } from "./installs.js";
import type { Outcome, Recipe, Result } from "./recipe.js";
import type { PackedPackages } from "./registry.js";
import { run } from "./run.js";
import { NotToBeHad, type Toolbox } from "./toolbox.js";

/** What all recipes are tried with. */
export interface Bench {
  readonly toolbox: Toolbox;
  readonly packages: PackedPackages;
  /** With a bucket for each recipe. */
  readonly server: DevServer;
  /** In which each recipe has a folder for as long as it is tried. */
  readonly folder: string;
  /** Of every program: where caches are. */
  readonly env: Readonly<Record<string, string>>;
  /** From which others' packages come. */
  readonly registry: string;
}

/** Installs what a recipe asks for, runs it, and asks the server whether it has put and got. */
export async function attempt(recipe: Recipe, bench: Bench): Promise<Result> {
  const folder = join(bench.folder, recipe.name);
  const versions: Record<string, string> = {};
  try {
    const said = await perform(recipe, folder, versions, bench);
    return { recipe, versions, outcome: judge(recipe, said, bench.server) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      recipe,
      versions,
      outcome: { outcome: error instanceof NotToBeHad ? "not to be had here" : "failed", why },
    };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Answers what the last step has printed. */
async function perform(
  recipe: Recipe,
  folder: string,
  versions: Record<string, string>,
  bench: Bench,
): Promise<string> {
  const { toolbox, packages, server } = bench;
  const runtime = await toolbox.runtimeOf(recipe);
  const manager = await toolbox.managerOf(recipe);
  Object.assign(versions, { [recipe.runtime]: runtime.version, [recipe.manager]: manager.version });
  const dependencies: Record<string, string> = {
    "@s3ec/client": packages.version,
    "@s3ec/keyring-raw-aes": packages.version,
  };
  for (const [name, range] of Object.entries({ "@aws-sdk/client-s3": "3", ...recipe.packages })) {
    dependencies[name] = name.startsWith("@s3ec/") ? packages.version : await toolbox.versionOf(name, range);
  }
  Object.assign(versions, dependencies);

  const install = INSTALLS[recipe.manager];
  const manifest = { name: "consumer", version: "1.0.0", private: true, dependencies, ...recipe.manifest };
  const files = {
    "package.json": JSON.stringify(manifest),
    ...install.files(packages.url, bench.registry),
    ...CONSUMER,
    ...recipe.files,
  };
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await appendFile(join(folder, ".yarnrc.yml"), recipe.yarnrc ?? "");

  const programs = [runtime.folder, manager.folder, join(folder, "node_modules/.bin"), String(process.env["PATH"])];
  const env = {
    ...bench.env,
    PATH: programs.join(delimiter),
    S3EC_ENDPOINT: server.endpoint,
    S3EC_BUCKET: recipe.name,
    // As an application has them, whose clients name neither.
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_REGION: server.region,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    BUCKET: recipe.name,
  };
  let said = "";
  for (const [program, ...args] of [install.command, ...recipe.steps]) {
    const [started, ...before] = program === "node" ? install.node : [program];
    said = await run(started, [...before, ...args], { cwd: folder, env });
  }
  return said;
}

/** A program that ends well without having done anything has not passed. */
function judge({ name, refusal }: Recipe, said: string, { requests }: DevServer): Outcome {
  const done = requests.filter(({ bucket }) => bucket === name).map(({ operation }) => operation);
  const asked = done.join(", ") || "nothing";
  if (refusal !== undefined) {
    if (said.includes(refusal) && done.length === 0) return { outcome: "refused by name" };
    return { outcome: "failed", why: `It was not refused, and asked the server for: ${asked}.\n${said}` };
  }
  if (done.includes("PutObject") && done.includes("GetObject")) return { outcome: "passed" };
  return { outcome: "failed", why: `It ended well, and asked the server for no more than: ${asked}.` };
}
