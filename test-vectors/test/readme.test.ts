import { readFile } from "node:fs/promises";
import { importExample } from "@s3ec/test-support";
import { instructionFileToRead, loadMessages, loadVectors, type Writer } from "@s3ec/test-vectors";
import { expect } from "chai";

// The formatter pads table cells.
const readme = (await readFile(new URL("../README.md", import.meta.url), "utf8")).replace(/ +/g, " ");

const LANGUAGES: Readonly<Record<Writer["language"], string>> = {
  cpp: "C++",
  dotnet: ".NET",
  go: "Go",
  java: "Java",
  php: "PHP",
  python: "Python",
  ruby: "Ruby",
};

describe("README", () => {
  it("shows an example that runs", async () => {
    const { decrypted } = await importExample(import.meta.url);
    expect(decrypted).to.equal(70);
  });

  it("lists every object whose instruction file has a suffix of its own", () => {
    for (const vector of loadVectors()) {
      const suffix = instructionFileToRead(vector)?.suffix ?? ".instruction";
      if (suffix !== ".instruction") expect(readme).to.include(`| \`${vector.id}\` | \`${suffix}\` |`);
    }
  });

  it("counts what decrypts by what is stored, and everything by who wrote it", () => {
    const stored = [...readme.matchAll(/^\| V[123] \|.*\| (\d+) \|$/gm)].map(([, count]) => Number(count));
    const readable = loadVectors().filter((vector) => vector.expect === undefined).length;
    expect(stored.reduce((total, count) => total + count, 0)).to.equal(readable);
    const counts: Record<string, [readable: number, refused: number]> = {};
    for (const { writer, expect } of loadVectors()) {
      const name = writer.client === "none" ? "by hand" : `\`${writer.client}\``;
      const row = `${LANGUAGES[writer.language]} | ${name}`;
      counts[row] ??= [0, 0];
      counts[row][expect === undefined ? 0 : 1] += 1;
    }
    const rows = [
      ...readme.matchAll(/^\| ((?:[.A-Z][\w+]*) \| (?:`[\w.:]+`|by hand)) \| .* \| (\d*) ?\| (\d*) ?\|$/gm),
    ];
    const written = rows.map(([, row = "", readable, refused]) => [row, [Number(readable), Number(refused)]]);
    expect(Object.fromEntries(written)).to.deep.equal(counts);
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
