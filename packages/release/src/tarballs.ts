import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PublishedPackage } from "./published-packages.js";
import { run } from "./run.js";

/** A package as it is published. */
export interface Tarball {
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
  /** Bytes. */
  readonly packed: number;
  /** Bytes. */
  readonly unpacked: number;
}

/** Packs each into `folder`, from what is built. */
export async function packAll(packages: readonly PublishedPackage[], folder: string): Promise<readonly Tarball[]> {
  await mkdir(folder, { recursive: true });
  const tarballs: Tarball[] = [];
  for (const { name, location } of packages) {
    // What scripts of a package print would stand before the JSON.
    const args = ["pack", "--json", "--no-foreground-scripts", "--pack-destination", folder];
    const { stdout } = await run("npm", args, { cwd: location });
    const [{ filename, size, unpackedSize }] = JSON.parse(stdout);
    const file = join(folder, filename);
    const sha256 = createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
    tarballs.push({ name, file, sha256, packed: size, unpacked: unpackedSize });
  }
  return tarballs;
}

/** Where two packings of the same commit differ, as sentences. */
export function differences(one: readonly Tarball[], other: readonly Tarball[]): readonly string[] {
  return one
    .filter(({ name, sha256 }) => other.find((each) => each.name === name)?.sha256 !== sha256)
    .map(({ name }) => `${name} is not the same, byte for byte, when the same commit is built and packed elsewhere.`);
}

/** Which are larger than they may be, as sentences; `budget` is in kB unpacked. */
export function overBudget(tarballs: readonly Tarball[], budget: Readonly<Record<string, number>>): readonly string[] {
  return tarballs
    .filter(({ name, unpacked }) => unpacked / 1000 > (budget[name] ?? 0))
    .map(
      ({ name, unpacked }) =>
        `${name} takes ${Math.round(unpacked / 1000)} kB unpacked, more than the ${budget[name] ?? 0} of packages/release/size-budget.json: make it smaller, or say in the change why it may grow.`,
    );
}
