import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A package that is published, with the two files that its exports are read from. */
export interface PublicPackage {
  readonly name: string;
  /** Below the root: `packages/<id>`; its report is `<id>.api.md`. */
  readonly path: string;
  readonly directory: string;
  /** What its authors write: docstrings and bodies. */
  readonly source: string;
  /** What its users compile against. */
  readonly declarations: string;
}

/** The published packages of the monorepo at `root`, by name. */
export function publicPackages(root: string): readonly PublicPackage[] {
  return [...readdirSync(join(root, "packages")).map((id) => `packages/${id}`), "test-vectors"]
    .filter((path) => existsSync(join(root, path, "package.json")))
    .map((path) => ({ path, ...JSON.parse(readFileSync(join(root, path, "package.json"), "utf8")) }))
    .filter((manifest) => manifest.private !== true)
    .map(({ name, path }) => publicPackage(name, path, join(root, path)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function publicPackage(name: string, path: string, directory: string): PublicPackage {
  const declarations = join(directory, "dist", "index.d.ts");
  if (!existsSync(declarations)) throw new Error(`${name} is not built: run npm run build first.`);
  return { name, path, directory, source: join(directory, "src", "index.ts"), declarations };
}
