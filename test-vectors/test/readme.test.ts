import { readFile } from "node:fs/promises";
import { importExample } from "@s3ec/test-support";
import { instructionFileToRead, loadMessages, loadVectors } from "@s3ec/test-vectors";
import { expect } from "chai";

// The formatter pads table cells.
const readme = (await readFile(new URL("../README.md", import.meta.url), "utf8")).replace(/ +/g, " ");

describe("README", () => {
  it("shows an example that runs", async () => {
    const { decrypted } = await importExample(import.meta.url);
    expect(decrypted).to.equal(51);
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
