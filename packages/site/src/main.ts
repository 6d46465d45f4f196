import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSite } from "./build-site.js";
import { deadLinks } from "./dead-links.js";
import { misplacedGuides } from "./guides.js";
import { writeVersions } from "./versions.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

function refuse(mistakes: readonly string[]): void {
  if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
}

try {
  refuse(misplacedGuides(ROOT));
  const site = await buildSite(ROOT);
  refuse(deadLinks(site, ROOT));
  writeVersions(dirname(site));
  console.log(`The site is in ${site}, and no link within it is dead.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
