import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { publicPackages } from "../dist/public-packages.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** `| [`@s3ec/NAME`](packages/NAME) | what it is | N kB | dependencies |` */
const ROW = /^\| \[`(@s3ec\/[^`]+)`\]\(([^)]+)\) +\|[^|]+\| (\d+) kB/gm;
const TOLERANCE = 0.2;

describe("the table of packages in the README", () => {
  const rows = [...readFileSync(join(ROOT, "README.md"), "utf8").matchAll(ROW)];
  const published = publicPackages(ROOT).filter(({ path }) => path.startsWith("packages/"));

  it("has every package that is published, and no other", () => {
    const listed = rows.map(([, name, path]) => `${name} ${path}`);
    expect(listed.sort()).to.deep.equal(published.map(({ name, path }) => `${name} ${path}`).sort());
  });

  for (const { name, directory } of published) {
    it(`tells what ${name} takes unpacked, to a fifth`, () => {
      const told = Number(rows.find((row) => row[1] === name)?.[3]);
      const is = unpackedSize(directory) / 1000;
      expect(told, `${Math.round(is)} kB`).to.be.within(is * (1 - TOLERANCE), is * (1 + TOLERANCE));
    });
  }
});

/** What is made only when a package is packed: the README tells its size beside that of the package. */
const MADE_AT_PACK = new Set(["lambda"]);

/** Bytes of what `npm pack` takes: `files`, and what it takes always. */
function unpackedSize(directory: string): number {
  const { files }: { files: string[] } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const taken = [
    ...files.filter((entry) => !entry.startsWith("!") && !MADE_AT_PACK.has(entry)),
    "package.json",
    "README.md",
    "LICENSE",
  ];
  return taken
    .map((entry) => join(directory, entry))
    .filter((path) => existsSync(path))
    .flatMap((path) => (statSync(path).isDirectory() ? filesBelow(path) : [path]))
    .filter((path) => !path.endsWith(".tsbuildinfo"))
    .reduce((sum, path) => sum + statSync(path).size, 0);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
