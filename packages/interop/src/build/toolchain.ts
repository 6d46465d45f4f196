import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** A language runtime that a peer needs is not installed. Locally the peer is skipped; in CI it is a failure. */
export class MissingToolchainError extends Error {
  readonly tools: readonly string[];

  constructor(tools: readonly string[]) {
    super(`Install ${tools.join(" and ")}: packages/interop/install-toolchains does it on Debian.`);
    this.name = "MissingToolchainError";
    this.tools = tools;
  }
}

/** Throws a {@link MissingToolchainError} that names those of `tools` that are not on the PATH. */
export async function requireTools(...tools: readonly string[]): Promise<void> {
  const found = await Promise.all(tools.map(isOnPath));
  const missing = tools.filter((_, index) => !found[index]);
  if (missing.length > 0) throw new MissingToolchainError(missing);
}

async function isOnPath(tool: string): Promise<boolean> {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const tries = folders.map((folder) =>
    access(join(folder, tool), constants.X_OK).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(tries)).includes(true);
}
