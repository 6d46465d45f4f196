import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A configuration in a file of its own. */
export async function writeConfiguration(
  configuration: object,
): Promise<{ readonly file: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "s3ec-batch-"));
  const file = join(folder, "s3ec.config.json");
  await writeFile(file, JSON.stringify(configuration), { mode: 0o600 });
  return { file, remove: () => rm(folder, { recursive: true, force: true }) };
}
