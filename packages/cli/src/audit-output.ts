import type { AuditCoverage, AuditedObject, AuditSum, AuditTotals } from "@s3ec/bulk";
import { printable } from "@s3ec/envelope";
import { csvLine } from "./csv-line.js";
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
] as const;

/** What stands above the results. */
export function headOf(format: AuditFormat, isAsked: boolean): string | undefined {
  if (format === "csv") return COLUMNS.join(",");
  return format === "table"
    ? row(["STATE", "FORMAT", "WRAPS", "BYTES", ...(isAsked ? ["NEEDS IT"] : []), "KEY"])
    : undefined;
}

/** One result, on one line. */
export function lineOf(format: AuditFormat, audited: AuditedObject): string {
  if (format === "json") return JSON.stringify(audited);
  const { Key, VersionId, state, format: ofObject = "", suite = "", wraps, needsKey, problem, contentLength } = audited;
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
    return csvLine([...cells, String(isLegacy), bytes, needsKey ?? "", problem ?? ""]);
  }
  const version = VersionId === undefined ? "" : ` (version ${VersionId})`;
  const shown = printable(`${Key}${version}${problem === undefined ? "" : `: ${problem}`}`);
  return row([state, ofObject, names, bytes, ...(needsKey === undefined ? [] : [needsKey]), shown]);
}

const WIDTHS: Readonly<Record<number, number>> = { 0: 16, 1: 6, 2: 14, 3: 12, 4: 8 };

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

function described({ objects, bytes, ofUnknownLength }: AuditSum): string {
  const unknown = ofUnknownLength === 0 ? "" : `, and ${ofUnknownLength} of a length that nothing says`;
  return `${objects} ${objects === 1 ? "object" : "objects"}, ${bytes} bytes${unknown}`;
}

/** What the audit says of the key that it asked about. */
export interface KeyAnswer {
  readonly key: string;
  /** `needed`: something needs it, or may. `not-in-this-list`: nothing does, and it was not all of a bucket. */
  readonly answer: "needed" | "not-in-this-list" | "not-needed";
  readonly unknown: readonly string[];
  readonly writersStoppedBy: string | null;
  readonly notSeen: string;
}

const NOT_SEEN =
  "No audit sees backups, replicas and other buckets, copies that have left S3, or what is written from now on.";

/** `coverage` is that of a whole listing; undefined for anything less. */
export function keyAnswer(key: string, totals: AuditTotals, coverage: AuditCoverage | undefined): KeyAnswer {
  const open = (totals.byNeed.get("yes")?.objects ?? 0) + (totals.byNeed.get("unknown")?.objects ?? 0);
  const unknown = coverage?.unknown ?? [];
  const isWhole = coverage?.isWhole === true;
  return {
    key,
    answer: open > 0 || unknown.length > 0 ? "needed" : isWhole ? "not-needed" : "not-in-this-list",
    unknown,
    writersStoppedBy: coverage?.writersStoppedBy?.toISOString() ?? null,
    notSeen: NOT_SEEN,
  };
}

/** The same in words. */
export function answerIn(
  { key, answer, unknown, writersStoppedBy, notSeen }: KeyAnswer,
  totals: AuditTotals,
): string[] {
  const { yes, unknown: open } = Object.fromEntries(totals.byNeed) as Partial<Record<string, AuditSum>>;
  const before = writersStoppedBy === null ? "" : ` Whoever writes with it must have stopped by ${writersStoppedBy}.`;
  return [
    `The key: ${key}`,
    ...(yes === undefined ? [] : [`  Need it: ${described(yes)}`]),
    ...(open === undefined ? [] : [`  May need it, which counts the same: ${described(open)}`]),
    ...unknown.map((sentence) => `  Not known: ${sentence}`),
    ...(answer === "not-needed" ? [`  Nothing in the bucket needs it.${before}`] : []),
    ...(answer === "not-in-this-list"
      ? ["  Nothing in this list needs it; what else is in the bucket was not looked at."]
      : []),
    `  ${notSeen}`,
  ];
}
