import { scryptSync } from "node:crypto";
import type { EnvelopeFilter, JournalOptions, RewritingOptions } from "@s3ec/bulk";
import { type Command, InvalidArgumentError, Option } from "commander";
import { dryRunOption, entry, listed, positive } from "./command-options.js";
import { EXIT_CODES } from "./exit-codes.js";
import type { ObjectAddress } from "./object-address.js";
import { filterOf, isMany, type SourceOptions, sourceOptions } from "./object-source.js";
import { ofMany } from "./of-many.js";

/** What a command that changes objects is told where they may be many. */
export interface ManyOptions extends SourceOptions {
  readonly dryRun?: boolean;
  readonly concurrency?: number;
  readonly rate?: number;
  readonly format?: readonly string[];
  readonly wrap?: readonly string[];
  readonly described?: Readonly<Record<string, string>>;
  readonly resume?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly summary?: boolean;
}

/** Adds the options that say which objects, how fast, and how each is reported. */
export function manyOptions(command: Command): Command {
  dryRunOption(sourceOptions(command), "--dry-run", "use the keys, and change nothing");
  return ofMany(command, () => {
    command
      .option("--format <V1|V2|V3>", "of those, the ones of this format (repeatable)", listed)
      .option("--wrap <NAME>", "of those, the ones with such a wrapped key: kms, AES/GCM (repeatable)", listed)
      .option("--described <k=v>", "of those, the ones with a wrapped key that is so described (repeatable)", entry)
      .option("--resume <JOURNAL>", "record what is done in this file, and go on with what it says")
      .option("--concurrency <N>", "objects that are worked on at once (default: 16)", positive)
      .option("--rate <N>", "objects a second at most", perSecond)
      .addOption(new Option("--csv", "CSV, with the totals on standard error").conflicts("json"))
      .option("--summary", "the totals alone");
  });
}

/** What is exited with where an object is not there: what an inventory or a listing has may have been deleted since. */
export function codeOfNothing(options: SourceOptions): number {
  if (!isMany(options)) return EXIT_CODES.storage;
  return options.keys === undefined ? EXIT_CODES.ok : EXIT_CODES.open;
}

/** What the functions of bulk are told. */
export async function rewriting(
  address: ObjectAddress,
  options: ManyOptions,
  target: unknown,
  abortSignal: AbortSignal,
): Promise<RewritingOptions> {
  const { concurrency, rate, dryRun, resume } = options;
  const { Bucket } = address;
  const filter = await filterOf(address, options);
  const envelopes = await envelopesMeant(options);
  return {
    Bucket,
    abortSignal,
    ...(filter === undefined ? {} : { filter }),
    ...(envelopes === undefined ? {} : { envelopeFilter: envelopes }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(rate === undefined ? {} : { rate }),
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(resume === undefined ? {} : { journal: journalOf(resume, Bucket, target) }),
  };
}

async function envelopesMeant({ format, wrap, described }: ManyOptions): Promise<EnvelopeFilter | undefined> {
  if (format === undefined && wrap === undefined && described === undefined) return undefined;
  const { envelopeFilter } = await import("@s3ec/bulk");
  return envelopeFilter({
    // Whatever is no format is refused by its name.
    ...(format === undefined ? {} : { formats: format as ("V1" | "V2" | "V3")[] }),
    ...(wrap === undefined ? {} : { wraps: wrap }),
    ...(described === undefined ? {} : { description: described }),
  });
}

/** A configuration may hold a secret that could be guessed: what stands for it in the file is slow to try. */
function journalOf(path: string, bucket: string, target: unknown): JournalOptions {
  const digest = scryptSync(JSON.stringify(target), `s3ec journal of ${bucket}`, 32);
  return { path, target: digest.toString("base64url") };
}

function perSecond(text: string): number {
  const rate = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (rate > 0) return rate;
  throw new InvalidArgumentError("Write a number of objects a second, such as 50 or 0.5.");
}
