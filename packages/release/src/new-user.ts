import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Component } from "./licences.js";
import { run } from "./run.js";

const FIRST_DAY = fileURLToPath(new URL("../new-user/first-day.mjs", import.meta.url));
/** Peers that the README's examples import. */
const PEERS = ["@aws-sdk/client-kms", "@aws-sdk/client-s3"];

/** What came of a new user's first day. */
export interface FirstDay {
  readonly said: string;
  /** All that was installed, as CycloneDX. */
  readonly billOfMaterials: { readonly components: readonly Component[] };
}

/**
 * In an empty folder: installs from the registry, and does what the README shows.
 *
 * @param packages all of ours, by name
 * @param registry of our packages only; all others come from where npm has them
 */
export async function firstDay(root: string, packages: readonly string[], registry: string): Promise<FirstDay> {
  const folder = await mkdtemp(join(tmpdir(), "s3ec-new-user-"));
  try {
    await writeFile(
      join(folder, "package.json"),
      JSON.stringify({ name: "first-day", version: "0.0.0", private: true, type: "module" }),
    );
    await writeFile(join(folder, ".npmrc"), `@s3ec:registry=${registry}\n`);
    await run("npm", ["install", "--no-audit", "--no-fund", ...PEERS, ...packages], { cwd: folder });
    await writeFile(join(folder, "README.md"), await readFile(join(root, "README.md")));
    await copyFile(join(root, "docs/examples/escrow.config.json"), join(folder, "escrow.config.json"));
    await copyFile(FIRST_DAY, join(folder, "first-day.mjs"));
    const { stdout } = await run(process.execPath, ["first-day.mjs"], { cwd: folder });
    const bill = ["sbom", "--sbom-format", "cyclonedx", "--sbom-type", "library"];
    return { said: stdout, billOfMaterials: JSON.parse((await run("npm", bill, { cwd: folder })).stdout) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
