import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Manifest, manifestOf } from "./published-packages.js";

const SITE = "https://github.com/s3ec/s3ec";
/** What npm runs at the user's when it installs a package. Most package managers of today refuse to. */
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "prepare"];

/** What a package lacks that its page in a registry, its users and their lawyers look for: one sentence each. */
export function manifestMistakes(root: string, location: string): readonly string[] {
  const manifest = manifestOf(location);
  const path = location.slice(root.length).replace(/^\//, "");
  const expected: Manifest = {
    license: "Apache-2.0",
    homepage: `${SITE}/tree/main/${path}#readme`,
    bugs: { url: `${SITE}/issues` },
    funding: { type: "github", url: "https://github.com/sponsors/s3ec" },
    repository: { type: "git", url: `git+${SITE}.git`, directory: path },
    publishConfig: { access: "public", provenance: true },
  };
  const mistakes = Object.entries(expected)
    .filter(([field, value]) => JSON.stringify(manifest[field]) !== JSON.stringify(value))
    .map(([field, value]) => `${field} must be ${JSON.stringify(value)}`);
  if (!Array.isArray(manifest["keywords"]) || manifest["keywords"].length < 4) {
    mistakes.push("keywords must be four words or more that people search by");
  }
  const scripts = INSTALL_SCRIPTS.filter((name) => name in Object(manifest["scripts"]));
  if (scripts.length > 0) mistakes.push(`no script may run on installing, and it has ${scripts.join(", ")}`);
  if (textOf(location, "LICENSE") !== textOf(root, "LICENSE")) mistakes.push("LICENSE must be a copy of the root's");
  const installed = /^```sh\n(.*)$/m.exec(textOf(location, "README.md"))?.[1] ?? "";
  if (!/^(npm install|npx) /.test(installed) || !installed.includes(String(manifest["name"]))) {
    mistakes.push("README.md must begin with a line that installs the package, in a block of its own");
  }
  return mistakes.map((mistake) => `${path}: ${mistake}.`);
}

function textOf(folder: string, file: string): string {
  const path = join(folder, file);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
