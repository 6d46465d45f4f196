import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const COMPLETE = ".complete";

/** Where servers and peers are built: `S3EC_INTEROP_CACHE`, or `s3ec-interop` in the user's cache folder. */
export function cacheFolder(): string {
  const userCache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return process.env.S3EC_INTEROP_CACHE ?? join(userCache, "s3ec-interop");
}

/**
 * Returns the folder in which `build` has run to its end once for these inputs.
 * @param inputs whatever decides the result: versions, sources.
 */
export async function buildOnce(
  name: string,
  inputs: readonly (string | Uint8Array)[],
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(String(input.length)).update("\n").update(input);
  const folder = join(cacheFolder(), `${name}-${hash.digest("hex").slice(0, 16)}`);
  if ((await readdir(folder).catch((): string[] => [])).includes(COMPLETE)) return folder;
  await rm(folder, { recursive: true, force: true }); // what an interrupted build left
  await mkdir(folder, { recursive: true });
  await build(folder);
  await writeFile(join(folder, COMPLETE), "");
  return folder;
}

/** The names and contents of the files of a folder, for {@link buildOnce}'s inputs. */
export async function folderContents(folder: string): Promise<(string | Uint8Array)[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  const contents = await Promise.all(files.sort().map(async (file) => [file, await readFile(join(folder, file))]));
  return contents.flat();
}
