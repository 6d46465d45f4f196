import { readFileSync } from "node:fs";
import { expect } from "chai";
import { loadVectors } from "../dist/load-vectors.js";
import type { Vector } from "../dist/vector.js";

const PAGE = new URL("../../docs/compatibility.md", import.meta.url);
const LANGUAGES: Readonly<Record<string, string>> = { cpp: "C++", dotnet: ".NET", go: "Go", java: "Java", php: "PHP" };

function formatOf({ metadata, instructionFiles }: Vector): string {
  if ("x-amz-c" in metadata) return "V3";
  return `${JSON.stringify(metadata)} ${JSON.stringify(instructionFiles)}`.includes("x-amz-key-v2") ? "V2" : "V1";
}

/** One row a client and version, as the page has to have it. */
function table(): string[] {
  const rows = new Map<string, { formats: Set<string>; opens: number; refused: number }>();
  for (const vector of loadVectors()) {
    const { language, client, version } = vector.writer;
    if (client === "none") continue;
    const name = `${LANGUAGES[language] ?? `${language[0]?.toUpperCase()}${language.slice(1)}`} | \`${client}\` | ${version}`;
    const row = rows.get(name) ?? { formats: new Set(), opens: 0, refused: 0 };
    rows.set(name, row);
    if (vector.expect === "refuse") row.refused++;
    else {
      row.formats.add(formatOf(vector));
      row.opens++;
    }
  }
  const lines = [...rows].map(
    ([name, { formats, opens, refused }]) => `| ${name} | ${[...formats].sort().join(", ")} | ${opens} | ${refused} |`,
  );
  return [
    "| language | client | version | wrote | open | refused |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines.sort(),
  ];
}

describe("docs/compatibility.md", () => {
  it("counts the vectors as they are", () => {
    const [, told = ""] = /<!-- vectors -->\n([\s\S]*)<!-- \/vectors -->/.exec(readFileSync(PAGE, "utf8")) ?? [];
    const cells = (line: string) =>
      line
        .replace(/-{3,}/g, "---")
        .split("|")
        .map((cell) => cell.trim());
    const lines = told.split("\n").filter((line) => line.startsWith("|"));
    expect(lines.map(cells), `The page should have:\n${table().join("\n")}`).to.deep.equal(table().map(cells));
  });
});
