import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { misplacedGuides } from "../dist/guides.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const PAGES = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "" && !path.startsWith(".changeset/") && existsSync(join(ROOT, path)));

/** Without what only looks like a link or a heading. */
function prose(path: string): string {
  return readFileSync(path, "utf8").replace(/^(`{3,}).*?^\1/gms, "");
}

/** As GitHub makes them of headings. */
function anchorsOf(path: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of prose(path).matchAll(/^#+ (.+)$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/(^|\s)_(.+?)_(?=\s|$)/g, "$1$2");
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function deadLinksOf(page: string): string[] {
  const text = prose(join(ROOT, page)).replace(/`[^`\n]*`/g, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)|<img[^>]* src="([^"]+)"/g)].flatMap(([, link = "", image = ""]) => {
    const target = link || image;
    if (/^[a-z]+:/.test(target)) return [];
    const [path = "", anchor = ""] = target.split("#");
    const file = path === "" ? join(ROOT, page) : join(ROOT, dirname(page), path);
    if (!existsSync(file) || relative(ROOT, file).startsWith("..")) return [`${page}: ${target}`];
    const isDead = anchor !== "" && (statSync(file).isDirectory() || !anchorsOf(file).has(anchor));
    return isDead ? [`${page}: ${target}`] : [];
  });
}

describe("the Markdown files", () => {
  it("link to files and headings that there are", () => {
    expect(PAGES).to.include.members(["README.md", "docs/formats.md", "packages/client/README.md"]);
    expect(PAGES.flatMap(deadLinksOf)).to.deep.equal([]);
  });

  it("of docs stand in one section of the site", () => {
    expect(misplacedGuides(ROOT)).to.deep.equal([]);
  });
});
