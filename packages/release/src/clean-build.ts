import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.js";

/** A clone of what is committed at `root`, installed by its lockfile and built, for as long as `use` takes. */
export async function inCleanBuild<Result>(root: string, use: (clone: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "s3ec-release-"));
  try {
    const clone = join(folder, "clone");
    await run("git", ["clone", "--quiet", "--local", root, clone], { cwd: folder });
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: clone });
    await run("npm", ["run", "build"], { cwd: clone });
    return await use(clone);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Files that a release would not have, since nobody has committed them. */
export async function uncommitted(root: string): Promise<readonly string[]> {
  const { stdout } = await run("git", ["status", "--porcelain"], { cwd: root });
  return stdout.split("\n").filter((line) => line !== "");
}
