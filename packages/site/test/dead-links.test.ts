import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { deadLinks } from "../dist/dead-links.js";

describe("deadLinks", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "s3ec-site-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function deadAmong(files: Readonly<Record<string, string>>): readonly string[] {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return deadLinks(folder, folder);
  }

  it("finds none among pages, pictures, folders and anchors that are there, and does not look elsewhere", () => {
    const index =
      '<h1 id="top">S</h1><a href="#top"></a><a class="x" href="guides/a.html#b-c"></a><img src="a%20b.svg"/>' +
      '<a href="guides/a.html?x=1&amp;y=2"></a><a href="https://example.com/none"></a><a href="mailto:a@example.com"></a>' +
      '<a href="https://github.com/s3ec/s3ec/blob/main/guides/a.html#L4"></a>';
    const guide = '<h2 id="b-c">B</h2><a href="../"></a><a href="../index.html"></a>&lt;a href="none.html"&gt;';
    expect(deadAmong({ "index.html": index, "guides/a.html": guide, "a b.svg": "<svg/>" })).to.deep.equal([]);
  });

  for (const [what, html] of [
    ["a page", '<a href="guides/none.html"></a>'],
    ["a picture", '<img alt="a picture" src="none.svg">'],
    ["a file that Markdown names", '<a href="docs/none.md"></a>'],
    ["a folder without a page", '<a href="guides/"></a>'],
    ["the source", '<a href="https://github.com/s3ec/s3ec/blob/main/none.ts#L1"></a>'],
    ["an anchor of the page itself", '<a href="#none"></a>'],
    ["an anchor of another page", '<a href="other.html#none"></a>'],
  ] as const) {
    it(`finds a link to what is not there: ${what}`, () => {
      const dead = deadAmong({ "index.html": html, "other.html": '<h1 id="top">', "guides/a.svg": "" });
      expect(dead).to.have.length(1);
      expect(dead[0]).to.match(/^index\.html links to /);
    });
  }

  it("is not content with a folder of no pages", () => {
    expect(deadAmong({ "a.css": "" })).to.have.length(1);
  });
});
