import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { SOURCE } from "./source-links.js";

/** Links are resolved as if the site stood here. */
const ORIGIN = "http://site.invalid";
const SOURCE_LINK = new RegExp(`^${SOURCE}/(?:blob|tree)/main/([^#]*)`);

/**
 * Links, pictures and scripts of the pages and pictures below `folder` that lead to no file or anchor there, or to no source that `root`
 * has: one sentence each. Links to elsewhere are not followed.
 */
export function deadLinks(folder: string, root: string): readonly string[] {
  const pages = new Map(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => /\.(html|svg)$/.test(path))
      .map((path) => [path, attributesOf(readFileSync(join(folder, path), "utf8"))]),
  );
  if (pages.size === 0) return [`${folder} holds no page.`];
  const dead: string[] = [];
  for (const [page, { links }] of pages) {
    for (const link of links) {
      const { origin, pathname, hash } = new URL(link, `${ORIGIN}/${page}`);
      const [, source] = SOURCE_LINK.exec(link) ?? [];
      if (source !== undefined && !existsSync(join(root, decodeURIComponent(source)))) {
        dead.push(`${page} links to ${link}, and there is no such source.`);
      }
      if (origin !== ORIGIN) continue;
      const path = decodeURIComponent(pathname)
        .slice(1)
        .replace(/(^|\/)$/, "$1index.html");
      const anchor = decodeURIComponent(hash.slice(1));
      if (!isFile(join(folder, path))) dead.push(`${page} links to ${link}, which is not there.`);
      else if (anchor !== "" && pages.get(path)?.anchors.has(anchor) !== true) {
        dead.push(`${page} links to ${link}, and ${path} has no such anchor.`);
      }
    }
  }
  return dead;
}

interface Page {
  readonly links: ReadonlySet<string>;
  readonly anchors: ReadonlySet<string>;
}

/** Of a page that a program wrote: within a tag every value is quoted, and outside of tags `<` is escaped. */
function attributesOf(html: string): Page {
  const links = new Set<string>();
  const anchors = new Set<string>();
  for (const [tag] of html.matchAll(/<[a-z][^>]*>/gi)) {
    for (const [, name = "", value = ""] of tag.matchAll(/\s(href|src|id)="([^"]*)"/g)) {
      (name === "id" ? anchors : links).add(value.replaceAll("&amp;", "&"));
    }
  }
  return { links, anchors };
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
