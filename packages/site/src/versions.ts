import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VERSION = /^(\d+\.\d+\.\d+)(?:-(.+))?$/;

/** The versions whose sites stand side by side in a folder, the newest first. */
export function versionsIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => VERSION.test(name) && existsSync(join(folder, name, "index.html")))
    .sort((one, other) => compare(other, one));
}

/**
 * Tells pages of all versions in a folder which ones there are: `versions.js`, since a page that is opened as a file may load
 * a script, and no JSON. Who opens the folder is led to the newest version that is no preview.
 */
export function writeVersions(folder: string): void {
  const versions = versionsIn(folder);
  const newest = versions.find((version) => !version.includes("-")) ?? versions[0];
  if (newest === undefined) throw new Error(`There is no version of the site in ${folder}.`);
  writeFileSync(join(folder, "versions.js"), `globalThis.S3EC_VERSIONS = ${JSON.stringify(versions)};\n`);
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html>
<meta charset="utf-8">
<title>S3EC</title>
<meta http-equiv="refresh" content="0; url=${newest}/index.html">
<a href="${newest}/index.html">S3EC ${newest}</a>
`,
  );
}

/** A preview is older than what it is a preview of. */
function compare(one: string, other: string): number {
  const [, core = "", preview = ""] = VERSION.exec(one) ?? [];
  const [, otherCore = "", otherPreview = ""] = VERSION.exec(other) ?? [];
  const order = core.localeCompare(otherCore, "en", { numeric: true });
  if (order !== 0) return order;
  if (preview === "" || otherPreview === "") return Number(preview === "") - Number(otherPreview === "");
  return preview.localeCompare(otherPreview, "en", { numeric: true });
}
