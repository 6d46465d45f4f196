import { normalizePath, type ProjectReflection } from "typedoc";

/** Where the repository is shown; a branch's name and a path follow. */
export const SOURCE = "https://github.com/s3ec/s3ec";

/** What a package takes from another one is declared in a file that is built: has it link to what that is built from. */
export function linkSources(project: ProjectReflection): void {
  for (const reflection of Object.values(project.reflections)) {
    if (!reflection.isDeclaration() && !reflection.isSignature()) continue;
    for (const source of reflection.sources ?? []) {
      source.fileName = normalizePath(source.fileName.replace(BUILT, "/src/$1.ts"));
      if (source.url !== undefined) source.url = source.url.replace(BUILT, "/src/$1.ts");
    }
  }
}

/** With its line, which is not the source's. */
const BUILT = /\/dist\/(.+)\.d\.ts(?:#L\d+)?$/;
