import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { arch, platform } from "node:process";
import type { Manager, Recipe, Runtime } from "./recipe.js";
import { ProgramFailed, run } from "./run.js";

/** What cannot be installed on this machine, or from where npm gets its packages. */
export class NotToBeHad extends Error {}

interface Tool {
  /** As npm knows it, with a range. */
  readonly wanted: string;
  /** Of the package, the folder its program is in. */
  readonly bin: string;
}

/** Node itself, without a wrapper that npm would have to run a script for. */
const node = (line: number): Tool => ({
  wanted: `node-${platform === "win32" ? "win" : platform}-${arch}@${line}`,
  bin: "bin",
});
const BUN: Tool = { wanted: "bun@1", bin: "../.bin" };
const DENO: Tool = { wanted: "deno@2", bin: "../.bin" };

const RUNTIMES: Readonly<Record<Exclude<Runtime, "Chromium">, Tool>> = {
  "Node 20": node(20),
  "Node 22": node(22),
  "Node 24": node(24),
  "Node 26": node(26),
  workerd: node(24),
  Bun: BUN,
  Deno: DENO,
};

/** npm 12 asks for Node 22. */
const NPM_OF_NODE_20: Tool = { wanted: "npm@11", bin: "../.bin" };
const YARN: Tool = { wanted: "@yarnpkg/cli-dist@4", bin: "../../.bin" };
const MANAGERS: Readonly<Record<Manager, Tool>> = {
  npm: { wanted: "npm@12", bin: "../.bin" },
  pnpm: { wanted: "pnpm@12", bin: "../.bin" },
  "Yarn, node_modules": YARN,
  "Yarn, PnP": YARN,
  bun: BUN,
  deno: DENO,
};

/** A program that a recipe needs: where it is, and its version. */
export interface Installed {
  readonly folder: string;
  readonly version: string;
}

/** Runtimes and package managers, from npm, each installed when it is asked for first. */
export class Toolbox {
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #installed = new Map<string, Promise<Installed>>();
  readonly #versions = new Map<string, Promise<string>>();

  /** @param env of every program that installs something */
  constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#env = env;
  }

  /** @throws NotToBeHad */
  async runtimeOf({ runtime }: Pick<Recipe, "runtime">): Promise<Installed> {
    return runtime === "Chromium" ? await chromium(this.#folder) : await this.#tool(RUNTIMES[runtime]);
  }

  /** @throws NotToBeHad */
  managerOf(recipe: Recipe): Promise<Installed> {
    const isOld = recipe.manager === "npm" && recipe.runtime === "Node 20";
    return this.#tool(isOld ? NPM_OF_NODE_20 : MANAGERS[recipe.manager]);
  }

  /**
   * The newest version of a package in a range.
   *
   * @throws NotToBeHad where there is none
   */
  versionOf(name: string, range: string): Promise<string> {
    return once(this.#versions, `${name}@${range}`, async (wanted) => {
      const said = await this.#npm(["view", wanted, "version", "--json"], this.#folder);
      // In the order in which they were published.
      const versions: string[] = [JSON.parse(said)].flat();
      return versions.sort((one, other) => one.localeCompare(other, "en", { numeric: true })).at(-1) ?? "";
    });
  }

  #tool({ wanted, bin }: Tool): Promise<Installed> {
    return once(this.#installed, wanted, async () => {
      const [, name = "", range = ""] = /^(.+)@(.+)$/.exec(wanted) ?? [];
      const version = await this.versionOf(name, range);
      const folder = join(this.#folder, `${name.replaceAll("/", "-")}-${version}`);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "package.json"), "{}");
      await this.#npm(["install", "--no-audit", "--no-fund", "--loglevel=error", `${name}@${version}`], folder);
      return { folder: join(folder, "node_modules", name, bin), version };
    });
  }

  async #npm(args: readonly string[], cwd: string): Promise<string> {
    try {
      return await run("npm", args, { cwd, env: this.#env });
    } catch (error) {
      if (error instanceof ProgramFailed) throw new NotToBeHad(error.message, { cause: error });
      throw error;
    }
  }
}

/** As the system has it: npm has browsers in packages that download them. */
async function chromium(cwd: string): Promise<Installed> {
  const said = await run("chromium", ["--version"], { cwd }).catch((error) => {
    throw new NotToBeHad("No chromium is installed (Debian: apt-get install chromium).", { cause: error });
  });
  return { folder: "", version: /Chromium ([\d.]+)/.exec(said)?.[1] ?? "" };
}

function once<Value>(
  known: Map<string, Promise<Value>>,
  key: string,
  get: (key: string) => Promise<Value>,
): Promise<Value> {
  const value = known.get(key) ?? get(key);
  known.set(key, value);
  return value;
}
