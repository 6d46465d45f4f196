import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.js";

/** A package that is published, as it lies in the monorepo. */
export interface PublishedPackage {
  readonly name: string;
  readonly version: string;
  readonly location: string;
}

/** Those of the monorepo at `root` that are not private. */
export async function publishedPackages(root: string): Promise<readonly PublishedPackage[]> {
  const { stdout } = await run(join(root, "node_modules/.bin/lerna"), ["list", "--json"], { cwd: root });
  return JSON.parse(stdout);
}

/** A package.json, of which only what is asked for is known. */
export type Manifest = Readonly<Record<string, unknown>>;

export function manifestOf(location: string): Manifest {
  return JSON.parse(readFileSync(join(location, "package.json"), "utf8"));
}
