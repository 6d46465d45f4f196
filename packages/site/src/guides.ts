import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Where in the navigation a guide stands. */
export interface GuideSection {
  readonly title: string;
  /** Paths in the repository, in the order of the navigation. */
  readonly files: readonly string[];
}

/** What stands beside the packages, in the order in which it is read. */
export const SECTIONS: readonly GuideSection[] = [
  section("Begin", [
    "choose",
    "reading-java",
    "from-a-java-keystore",
    "from-aws-s3",
    "json",
    "large-objects",
    "testing-your-code",
    "frameworks",
    "observability",
    "runtimes",
  ]),
  section("Keys", [
    "assemble-a-key-hierarchy",
    "where-wraps-live",
    "rotate-keys",
    "share-with-a-partner",
    "restore-from-escrow",
  ]),
  section("Many objects", ["many-objects", "batch", "scale", "audit-with-sql", "move-buckets", "leave-cbc"]),
  section("What others wrote", [
    "reading-other-languages",
    "reading-ses-mail",
    "reading-emrfs",
    "reading-hadoop",
    "reading-redshift",
    "reading-snowflake",
    "reading-elasticsearch",
    "writing-for-old-readers",
  ]),
  section("Extend", ["write-a-keyring", "write-a-manager"]),
  section("Reference", ["formats", "threat-model", "compatibility", "interop", "performance"]),
  {
    title: "The project",
    files: [...section("", ["releasing", "contributing"]).files, "SECURITY.md"],
  },
];

/** The section of the packages, which stands last. */
export const PACKAGES = "Packages";

function section(title: string, names: readonly string[]): GuideSection {
  return { title, files: names.map((name) => `docs/${name}.md`) };
}

/**
 * Pages of `docs` that nobody would find, and guides that there are not: one sentence each.
 *
 * @param root of the repository
 */
export function misplacedGuides(root: string): readonly string[] {
  const listed = SECTIONS.flatMap(({ files }) => files);
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  const there = new Set(["SECURITY.md", ...pages.map((name) => `docs/${name}`)]);
  return [
    ...[...there]
      .filter((file) => !listed.includes(file))
      .map((file) => `${file} is in no section: add it to guides.ts.`),
    ...listed.filter((file) => !there.has(file)).map((file) => `${file} is not there: take it out of guides.ts.`),
    ...listed
      .filter((file, index) => listed.indexOf(file) !== index)
      .map((file) => `${file} is in two places of guides.ts: leave it in one.`),
  ];
}
