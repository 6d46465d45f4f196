import type { S3Client } from "@aws-sdk/client-s3";
import { RewriteTotals, type RewrittenObject } from "@s3ec/bulk";
import { printable } from "@s3ec/envelope";
import type { WrapPlace } from "@s3ec/materials";
import { csvLine } from "./csv-line.js";
import { EXIT_CODES } from "./exit-codes.js";
import { rewriteTotals, rewrittenLine } from "./json/result-lines.js";
import { codeOfNothing, type ManyOptions } from "./many-options.js";
import type { ObjectAddress } from "./object-address.js";
import { assertSomethingThere, objectSource, wholeSource } from "./object-source.js";
import { objectsProgress } from "./objects-progress.js";
import { inOptions } from "./option-names.js";
import { print, tell } from "./printing.js";
import { placeKind, placeText } from "./wrap-place.js";

/** All objects of a source, and what is done to those of them that are meant. */
export type Rewriter = (objects: Awaited<ReturnType<typeof wholeSource>>["objects"]) => AsyncIterable<RewrittenObject>;

/** Does it, prints what comes of each object, then what it comes to; returns the exit code. */
export async function rewriteMany(
  client: S3Client,
  address: ObjectAddress,
  options: ManyOptions,
  rewriter: Rewriter,
  signal: AbortSignal,
): Promise<number> {
  const { json = false, csv = false, summary = false } = options;
  const totals = new RewriteTotals();
  const places = new Map<string, number>();
  if (csv && !summary) await print(COLUMNS.join(","));
  const { objects, came } = await wholeSource(client, address, options, signal);
  const meant = async () => (await objectSource(client, address, options, signal)).objects;
  using progress = objectsProgress(async () => (options.keys === "-" ? undefined : await meant()), summary);
  for await (const result of rewriter(objects)) {
    const each = inOptions(result);
    totals.add(each);
    for (const place of new Set(each.wraps?.map((wrap) => placeKind(wrap.place)))) {
      places.set(place, (places.get(place) ?? 0) + 1);
    }
    progress.add();
    if (!summary)
      await print(json ? JSON.stringify(rewrittenLine(address.Bucket, each)) : csv ? lineOfCsv(each) : tableLine(each));
  }
  progress.stop();
  if (json) await print(JSON.stringify(rewriteTotals(totals)));
  else if (csv) await tell(totalsIn(totals, places).join("\n"));
  else await print([...(summary ? [] : [""]), ...totalsIn(totals, places)].join("\n"));
  assertSomethingThere(address, options, came());
  if (!totals.isAllDone) return EXIT_CODES.open;
  return totals.byOutcome.has("nothing") ? codeOfNothing(options) : EXIT_CODES.ok;
}

/** What became of the one object that was named. */
export async function sayRewritten(
  { Bucket }: ObjectAddress,
  { json }: ManyOptions,
  result: RewrittenObject,
  words: readonly string[],
): Promise<void> {
  if (json !== true) return await print(words.join("\n"));
  const totals = new RewriteTotals();
  totals.add(result);
  for (const line of [rewrittenLine(Bucket, result), rewriteTotals(totals)]) await print(JSON.stringify(line));
}

const COLUMNS = [
  "key",
  "version",
  "state",
  "code",
  "wraps",
  "places",
  "changed",
  "replacedVersion",
  "problem",
  "todo",
  "removed",
  "remaining",
  "dropped",
];

function lineOfCsv({ Key, VersionId, outcome, code, wraps = [], changed = [], ...rest }: RewrittenObject): string {
  const { replacedVersionId, problem, todo, removed, remaining, droppedRecipients: dropped } = rest;
  const names = wraps.map(({ wrapAlgorithm }) => wrapAlgorithm).join(" ");
  const places = placesText(wraps.map(({ place }) => place));
  // URL-encoded, as in an inventory: `--keys-encoding url` reads it back.
  const cells = [encodeURIComponent(Key), VersionId, outcome, code, names, places, changed.join(" ")];
  const gone = [placesText(removed), placesText(remaining), dropped?.join(" ")];
  return csvLine([...cells, replacedVersionId, problem, todo, ...gone].map((text = "") => text));
}

function placesText(places: readonly WrapPlace[] = []): string {
  return places.map(placeText).join(" ");
}

function tableLine({ Key, VersionId, outcome, problem, todo, wraps = [] }: RewrittenObject): string {
  const version = VersionId === undefined ? "" : ` (version ${VersionId})`;
  const said = [problem, todo].filter((text) => text !== undefined).join(" ");
  const names = wraps.map(({ wrapAlgorithm }) => wrapAlgorithm).join(" ");
  return `${outcome.padEnd(10)}  ${names.padEnd(14)}  ${printable(`${Key}${version}${said === "" ? "" : `: ${said}`}`)}`;
}

/** @param places where wraps were written, or would be */
function totalsIn({ byOutcome, byCode, keptVersions }: RewriteTotals, places: ReadonlyMap<string, number>): string[] {
  if (byOutcome.size === 0) return ["There is nothing to do."];
  return [
    ...[...byOutcome].map(([outcome, count]) => `${outcome}: ${objectsIn(count)}`),
    ...(places.size === 0
      ? []
      : ["Wrapped in:", ...[...places].map(([place, count]) => `  ${printable(place)}: ${objectsIn(count)}`)]),
    ...(byCode.size === 0 ? [] : ["Why not:", ...[...byCode].map(([code, count]) => `  ${code}: ${objectsIn(count)}`)]),
    ...(keptVersions === 0
      ? []
      : [
          `Versions that were replaced, and keep the old wrap: ${keptVersions}. They need the old key for as long as they are kept.`,
        ]),
  ];
}

function objectsIn(count: number): string {
  return `${count} ${count === 1 ? "object" : "objects"}`;
}
