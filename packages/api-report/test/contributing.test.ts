import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PAGE = readFileSync(`${ROOT}docs/contributing.md`, "utf8");

/** Rule and cell of each half of a row of the table of rules, such as `["S4, S5", "`envelope/src/key-commitment.ts`"]`. */
const RULES = [...PAGE.matchAll(/\| (S\d+(?:, S\d+)*) +\| ([^|]+)/g)].flatMap(([, rules = "", cell = ""]) =>
  rules.split(", ").map((rule) => ({ rule, paths: pathsIn(cell) })),
);

function pathsIn(text: string): string[] {
  return [...text.matchAll(/`([a-z0-9-]+\/src[a-z0-9/.-]*)`/g)].map(([, path = ""]) => `${ROOT}packages/${path}`);
}

describe("docs/contributing.md", () => {
  it("names files and folders that there are", () => {
    const paths = pathsIn(PAGE);
    expect(paths).to.have.length.above(20);
    expect(paths.filter((path) => !existsSync(path))).to.deep.equal([]);
  });

  it("says of every rule of security in which file it is kept, and that file cites it", () => {
    const known = [...readFileSync(`${ROOT}docs/formats.md`, "utf8").matchAll(/^\| (S\d+) +\|/gm)].map(
      ([, rule]) => rule,
    );
    expect(RULES.map(({ rule }) => rule)).to.have.members(known);
    // S3 is a store, too: its rule is cited as what a bracket or a comma stands before.
    const silent = RULES.flatMap(({ rule, paths }) =>
      paths.length === 0
        ? [rule]
        : paths.filter((path) => !new RegExp(`[(,] ?${rule}\\b`).test(readFileSync(path, "utf8"))),
    );
    expect(silent).to.deep.equal([]);
  });
});
