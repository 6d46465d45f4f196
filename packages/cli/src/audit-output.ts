import type { AuditedObject, AuditSum, AuditTotals } from "@s3ec/bulk";
import { printable } from "@s3ec/envelope";
import type { Asked } from "./audit-many.js";
import { csvLine } from "./csv-line.js";
import { auditedLine } from "./json/result-lines.js";
import { placeText } from "./wrap-place.js";

/** How results are printed. */
export type AuditFormat = "table" | "json" | "csv";

const COLUMNS = [
  "key",
  "version",
  "state",
  "format",
  "suite",
  "wraps",
  "places",
  "legacy",
  "bytes",
  "needsKey",
  "problem",
  "readable",
  "whyNot",
] as const;

/** What stands above the results. */
export function headOf(format: AuditFormat, { keys, reader }: Asked): string | undefined {
  if (format === "csv") return COLUMNS.join(",");
  if (format === "json") return undefined;
  const asked = [...(keys.length > 0 ? ["NEEDS IT"] : []), ...(reader === undefined ? [] : ["READABLE"])];
  return row(["STATE", "FORMAT", "WRAPS", "BYTES", ...asked, "KEY"]);
}

/** One result, on one line. */
export function lineOf(
  format: AuditFormat,
  audited: AuditedObject,
  { Bucket, hasReader }: { readonly Bucket: string; readonly hasReader: boolean },
): string {
  if (format === "json") return JSON.stringify(auditedLine(Bucket, audited));
  const { Key, VersionId, state, format: ofObject = "", suite = "", wraps, problem, contentLength } = audited;
  const { needsKey, needsKeys, readable, whyNot } = audited;
  const bytes = typeof contentLength === "number" ? String(contentLength) : "";
  const names = [...new Set(wraps.map(({ wrapAlgorithm }) => wrapAlgorithm))].join(" ");
  if (format === "csv") {
    const isLegacy = wraps.some((wrap) => wrap.isLegacy);
    // URL-encoded, as in an inventory: `--keys-encoding url` reads it back.
    const cells = [
      encodeURIComponent(Key),
      VersionId ?? "",
      state,
      ofObject,
      suite,
      names,
      wraps.map(({ place }) => placeText(place)).join(" "),
    ];
    const needs =
      needsKey ??
      Object.entries(needsKeys ?? {})
        .map(([name, need]) => `${need}: ${name}`)
        .join("; ");
    return csvLine([...cells, String(isLegacy), bytes, needs, problem ?? "", readable ?? "", whyNot ?? ""]);
  }
  // In the order of the keys.
  const needs = needsKey ?? (needsKeys === undefined ? undefined : Object.values(needsKeys).join(" "));
  const isAsked = [...(needs === undefined ? [] : [needs]), ...(hasReader ? [readable ?? ""] : [])];
  const said = [problem, problem === whyNot ? undefined : whyNot].filter((text) => text !== undefined).join(" ");
  const version = VersionId === undefined ? "" : ` (version ${VersionId})`;
  const shown = printable(`${Key}${version}${said === "" ? "" : `: ${said}`}`);
  return row([state, ofObject, names, bytes, ...isAsked, shown]);
}

const WIDTHS: Readonly<Record<number, number>> = { 0: 16, 1: 6, 2: 14, 3: 12, 4: 8, 5: 8 };

function row(cells: readonly string[]): string {
  return cells.map((text, index) => (index === cells.length - 1 ? text : text.padEnd(WIDTHS[index] ?? 0))).join("  ");
}

/** The totals in words. */
export function totalsIn(totals: AuditTotals): string[] {
  const of = (name: string, sums: ReadonlyMap<string, AuditSum>): string[] =>
    sums.size === 0 ? [] : [`${name}:`, ...[...sums].map(([each, sum]) => `  ${each}: ${described(sum)}`)];
  const weak: [string, AuditSum][] = [
    ["content without a tag (CBC)", totals.unauthenticated],
    ["without key commitment", totals.uncommitted],
    ["a wrap not bound to the content (legacy)", totals.legacyWraps],
  ];
  return [
    `In all: ${described(totals.all)}`,
    ...of("What they are", totals.byState),
    ...of("Formats", totals.byFormat),
    ...of("Wraps", totals.byWrap),
    ...of("Weak", new Map(weak.filter(([, { objects }]) => objects > 0))),
  ];
}

/** A sum in words. */
export function described({ objects, bytes, ofUnknownLength }: AuditSum): string {
  const unknown = ofUnknownLength === 0 ? "" : `, and ${ofUnknownLength} of a length that nothing says`;
  return `${objects} ${objects === 1 ? "object" : "objects"}, ${bytes} bytes${unknown}`;
}
