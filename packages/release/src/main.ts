import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inCleanBuild, uncommitted } from "./clean-build.js";
import { licenceMistakes } from "./licences.js";
import { LocalRegistry } from "./local-registry.js";
import { manifestMistakes } from "./manifest-mistakes.js";
import { firstDay } from "./new-user.js";
import { publishedPackages } from "./published-packages.js";
import { run } from "./run.js";
import { differences, overBudget, packAll } from "./tarballs.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const OUTPUT = join(ROOT, "dist/release");

function step(text: string): void {
  console.log(`== ${text}`);
}

function refuse(mistakes: readonly string[]): void {
  if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
}

async function rehearse(): Promise<void> {
  const dirty = await uncommitted(ROOT);
  if (dirty.length > 0) throw new Error(`A release is made of what is committed. Commit first:\n${dirty.join("\n")}`);
  await rm(OUTPUT, { recursive: true, force: true });
  await mkdir(OUTPUT, { recursive: true });

  step("build a clean clone and pack it; pack what is built here");
  const here = await packAll(await publishedPackages(ROOT), join(OUTPUT, "packages"));
  const there = await inCleanBuild(ROOT, async (clone) =>
    packAll(await publishedPackages(clone), join(clone, "dist/packed")),
  );
  refuse(differences(here, there));

  step("look at manifests, sizes, exports and types");
  const packages = await publishedPackages(ROOT);
  refuse(packages.flatMap(({ location }) => manifestMistakes(ROOT, location)));
  refuse(overBudget(here, JSON.parse(await readFile(join(ROOT, "packages/release/size-budget.json"), "utf8"))));
  await run("npm", ["run", "--silent", "check:packages"], { cwd: ROOT });

  step("publish to a registry on this machine, and install from it in an empty folder");
  await using registry = await LocalRegistry.start();
  for (const tarball of here) await registry.publish(tarball);
  const { said, billOfMaterials } = await firstDay(
    ROOT,
    here.map(({ name }) => name),
    registry.url,
  );
  console.log(said.trimEnd());
  await writeFile(join(OUTPUT, "sbom.cdx.json"), `${JSON.stringify(billOfMaterials, null, 2)}\n`);
  refuse(licenceMistakes(billOfMaterials.components));

  for (const { name, packed, unpacked, sha256 } of here) {
    console.log(`${name.padEnd(30)} ${kB(packed)} packed ${kB(unpacked)} unpacked  sha256 ${sha256}`);
  }
  console.log(`A release can be made of this. Tarballs and the bill of materials are in dist/release.`);
}

function kB(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`.padStart(8);
}

try {
  await rehearse();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
