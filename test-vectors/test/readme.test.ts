import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { instructionFileToRead, loadMessages, loadVectors } from "@s3ec/test-vectors";
import { expect } from "chai";

const markdown = await readFile(new URL("../README.md", import.meta.url), "utf8");

// The formatter pads table cells.
const readme = markdown.replace(/ +/g, " ");

describe("README", () => {
  it("shows an example that runs", async () => {
    const example = /```js\n([\s\S]*?)```/.exec(markdown)?.[1];
    if (example === undefined) throw new Error("README.md has no js example.");
    // Inside the package, so that its import resolves as a user's does.
    const folder = await mkdtemp(join(fileURLToPath(new URL(".", import.meta.url)), "readme-"));
    try {
      const file = join(folder, "example.mjs");
      await writeFile(file, example);
      const shown: { decrypted?: unknown } = await import(pathToFileURL(file).href);
      expect(shown.decrypted).to.equal(51);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("lists every object whose instruction file has a suffix of its own", () => {
    for (const vector of loadVectors()) {
      const suffix = instructionFileToRead(vector)?.suffix ?? ".instruction";
      if (suffix !== ".instruction") expect(readme).to.include(`| \`${vector.id}\` | \`${suffix}\` |`);
    }
  });

  it("counts every vector in its table", () => {
    const rows = [...readme.matchAll(/^\| V[123] \|.*\| (\d*) ?\| (\d*) ?\|$/gm)];
    const sum = (column: number) => rows.reduce((total, row) => total + Number(row[column]), 0);
    const refused = loadVectors().filter((vector) => vector.expect === "refuse").length;
    expect([sum(1), sum(2)]).to.deep.equal([loadVectors().length - refused, refused]);
  });

  it("counts every refused message by why it is refused", () => {
    const counts: Record<string, number> = {};
    for (const message of loadMessages()) {
      if (message.expect === "refuse") counts[message.failure] = (counts[message.failure] ?? 0) + 1;
    }
    const rows = [...readme.matchAll(/^\| `([a-z-]+)` \| (\d+) \|/gm)].map(([, failure, count]) => [
      failure,
      Number(count),
    ]);
    expect(Object.fromEntries(rows)).to.deep.equal(counts);
  });
});
