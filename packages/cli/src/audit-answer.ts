import type { AuditCoverage, AuditSum, AuditTotals } from "@s3ec/bulk";
import { described } from "./audit-output.js";
import type { AskedKey } from "./key-of.js";
import { asOptions } from "./option-names.js";
import type { AskedReader } from "./readable-by.js";

/** What an audit says of a key, or of a reader, that it asked about. */
export interface AuditAnswer {
  /** Whether something needs the key, or is not read; or may be so, which counts the same. */
  readonly isOpen: boolean;
  /** Whether all of a bucket was looked at. */
  readonly isWhole: boolean;
  /** The same in words. */
  readonly words: readonly string[];
  /** What `--json` has of it. */
  toJSON(): Readonly<Record<string, unknown>>;
}

const NOT_SEEN =
  "No audit sees backups, replicas and other buckets, copies that have left S3, or what is written from now on.";

/**
 * What needs a key.
 *
 * @param isOfSeveral whether each key is counted by its name
 * @param coverage that of a whole listing; undefined for anything less
 */
export function keyAnswer(
  { asked, name }: AskedKey,
  isOfSeveral: boolean,
  totals: AuditTotals,
  coverage: AuditCoverage | undefined,
): AuditAnswer {
  const sums = (isOfSeveral ? totals.byNeedOf.get(asked) : totals.byNeed) ?? new Map<string, AuditSum>();
  return answerOf(
    {
      name: { key: name },
      title: `The key: ${name}`,
      counted: [
        ["Need it", sums.get("yes")],
        ["May need it, which counts the same", sums.get("unknown")],
      ],
      is: "needed",
      isNot: "not-needed",
      none: (before) => `Nothing in the bucket needs it.${before}`,
      noneListed: "Nothing in this list needs it; what else is in the bucket was not looked at.",
    },
    coverage,
  );
}

/** What a reader does not read. */
export function readerAnswer(
  { name }: AskedReader,
  { byReadable }: AuditTotals,
  coverage: AuditCoverage | undefined,
): AuditAnswer {
  return answerOf(
    {
      name: { reader: name },
      title: `The reader: ${name}`,
      counted: [
        ["Cannot be read", byReadable.get("no")],
        ["Not known to be read, which counts the same", byReadable.get("unknown")],
      ],
      is: "not-all",
      isNot: "all",
      none: () =>
        "Nothing that an audit finds encrypted in the bucket is beyond it; that each opens, s3ec verify proves.",
      noneListed:
        "Nothing that an audit finds encrypted in this list is beyond it; what else is in the bucket was not looked at.",
    },
    coverage,
  );
}

interface Asking {
  readonly name: Readonly<Record<string, string>>;
  readonly title: string;
  /** What leaves the answer open, in words. */
  readonly counted: readonly (readonly [string, AuditSum | undefined])[];
  readonly is: string;
  readonly isNot: string;
  readonly none: (before: string) => string;
  readonly noneListed: string;
}

function answerOf(
  { name, title, counted, is, isNot, none, noneListed }: Asking,
  coverage: AuditCoverage | undefined,
): AuditAnswer {
  const unknown = (coverage?.unknown ?? []).map(asOptions);
  const isOpen = counted.some(([, sum]) => sum !== undefined) || unknown.length > 0;
  const isWhole = coverage?.isWhole === true;
  const writersStoppedBy = coverage?.writersStoppedBy?.toISOString() ?? null;
  const before = writersStoppedBy === null ? "" : ` Whoever writes with it must have stopped by ${writersStoppedBy}.`;
  return {
    isOpen,
    isWhole,
    words: [
      title,
      ...counted.flatMap(([text, sum]) => (sum === undefined ? [] : [`  ${text}: ${described(sum)}`])),
      ...unknown.map((sentence) => `  Not known: ${sentence}`),
      ...(isOpen ? [] : [`  ${isWhole ? none(before) : noneListed}`]),
      `  ${NOT_SEEN}`,
    ],
    toJSON: () => ({
      ...name,
      answer: isOpen ? is : isWhole ? isNot : "not-in-this-list",
      unknown,
      writersStoppedBy,
      notSeen: NOT_SEEN,
    }),
  };
}
