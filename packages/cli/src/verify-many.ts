import type { S3Client } from "@aws-sdk/client-s3";
import { type ObjectVerification, VerifyTotals, verifyObjects } from "@s3ec/bulk";
import { printable } from "@s3ec/envelope";
import type { ConnectionOptions } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { verifiedLine } from "./json/result-lines.js";
import { codeOfNothing } from "./many-options.js";
import type { ObjectAddress } from "./object-address.js";
import { assertSomethingThere, objectSource, type SourceOptions } from "./object-source.js";
import { inOptions } from "./option-names.js";
import { print, tell } from "./printing.js";

/** What `s3ec verify` is told beside its objects. */
export interface VerifyCommandOptions extends ConnectionOptions, SourceOptions {
  readonly suffix?: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly description?: Readonly<Record<string, string>>;
  readonly plain?: "skip";
  readonly concurrency?: number;
  readonly json?: boolean;
  readonly summary?: boolean;
}

/** Verifies, prints what comes of each, then what it comes to; returns the exit code. */
export async function verifyMany(
  client: S3Client,
  address: ObjectAddress,
  options: VerifyCommandOptions,
  abortSignal: AbortSignal,
): Promise<number> {
  const { suffix, context, description, concurrency, json = false, summary = false } = options;
  const { objects, came } = await objectSource(client, address, options, abortSignal);
  const totals = new VerifyTotals();
  const results = verifyObjects(client, objects, {
    Bucket: address.Bucket,
    abortSignal,
    ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
    ...(context === undefined ? {} : { encryptionContext: context }),
    ...(description === undefined ? {} : { materialDescription: description }),
    ...(concurrency === undefined ? {} : { concurrency }),
  });
  let plain = 0;
  for await (const result of results) {
    const each = inOptions(result);
    totals.add(each);
    if (each.state === "plain" && !isFolderMarker(each)) plain += 1;
    if (!summary) await print(json ? JSON.stringify(verifiedLine(address.Bucket, each)) : lineOf(each));
  }
  await print(json ? JSON.stringify({ totals }) : [...(summary ? [] : [""]), ...totalsIn(totals)].join("\n"));
  assertSomethingThere(address, options, came());
  if (plain > 0 && options.plain === undefined) {
    const are = plain === 1 ? "1 object is" : `${plain} objects are`;
    await tell(`s3ec: ${are} not encrypted: say --plain skip where that is meant.`);
    return EXIT_CODES.open;
  }
  if (!totals.isAllRead) return EXIT_CODES.open;
  return totals.byState.has("nothing") ? codeOfNothing(options) : EXIT_CODES.ok;
}

/** As consoles make them, to stand for a folder; there is nothing in it to encrypt. */
function isFolderMarker({ Key, length }: ObjectVerification): boolean {
  return Key.endsWith("/") && length === 0;
}

function lineOf({ Key, VersionId, state, length, problem }: ObjectVerification): string {
  const version = VersionId === undefined ? "" : ` (version ${VersionId})`;
  const shown = printable(`${Key}${version}${problem === undefined ? "" : `: ${problem}`}`);
  return `${state.padEnd(16)}  ${String(length ?? "").padEnd(12)}  ${shown}`;
}

function totalsIn({ byState }: VerifyTotals): string[] {
  if (byState.size === 0) return ["There is nothing to verify."];
  return [...byState].map(
    ([state, { objects, bytes }]) => `${state}: ${objects} ${objects === 1 ? "object" : "objects"}, ${bytes} bytes`,
  );
}
