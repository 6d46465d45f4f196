import { stat } from "node:fs/promises";
import { S3EncryptionError } from "@s3ec/materials";
import { type Command, InvalidArgumentError, Option } from "commander";
import { dryRunOption } from "../command-options.js";
import { EXIT_CODES, Verdict } from "../exit-codes.js";
import type { Interrupts } from "../interruption.js";
import { takeStandardOutput } from "../json/json-output.js";
import type { ObjectAddress } from "../object-address.js";
import { objectOptions } from "./object-options.js";
import type { ObjectsOptions } from "./objects-connection.js";
import { filterOptions, pathFilter } from "./path-filter.js";
import { type Place, place } from "./place.js";
import { nameOf, type PlacePair, placePair, targetOf } from "./place-pair.js";
import type { Task } from "./run-tasks.js";
import type { TransferContext } from "./transfer-context.js";
import type { ReportOptions, TransferReport } from "./transfer-report.js";

/** What `cp`, `mv` and `sync` share. */
export interface TransferOptions extends ObjectsOptions, ReportOptions {
  readonly followSymlinks?: boolean;
}

interface CopyOptions extends TransferOptions {
  readonly recursive?: boolean;
  readonly versionId?: string;
}

/** Adds what `cp`, `mv` and `sync` have in common; gives their filter rules. */
export function transferOptions(command: Command): ReturnType<typeof filterOptions> {
  objectOptions(reportOptions(command))
    .argument("<SOURCE>", "a file, a folder or s3://bucket/key", place)
    .argument("<TARGET>", "a file, a folder or s3://bucket/key", place);
  dryRunOption(command, "--dryrun", "say what would be done, and do nothing")
    .addOption(
      new Option(
        "--plain <WHAT>",
        "what becomes of objects that are not encrypted (default: they are refused)",
      ).choices(["copy", "skip", "encrypt"]),
    )
    .option("--no-follow-symlinks", "leave out links in folders");
  return filterOptions(command);
}

/** Adds what says how much is told. */
export function reportOptions(command: Command): Command {
  return command
    .option("--quiet", "say nothing, not even errors: the exit code tells")
    .option("--only-show-errors", "say nothing but errors")
    .option("--no-progress", "show no progress on a terminal");
}

/** `s3ec cp` and `s3ec mv`. */
export function copyCommand(command: Command, verb: "cp" | "mv", interrupts: Interrupts): void {
  const rules = transferOptions(command);
  command.option("--recursive", "everything below SOURCE");
  if (verb === "cp") {
    command
      .option("--expected-size <BYTES>", "of standard input, where it may be more than 50 GB", bytes)
      .option("--version-id <ID>", "a version of SOURCE");
  }
  command.action(async (source: Place, target: Place, options: CopyOptions) => {
    const { recursive: isMany = false, metadataDirective } = options;
    const pair = await placePair(source, target, {
      command: verb,
      isMany,
      replacesMetadata: metadataDirective === "REPLACE" || options.metadata !== undefined,
    });
    assertPlain(pair, options);
    if (!isMany && rules().length > 0) {
      throw invalid("--exclude and --include are of many objects: say --recursive for all below SOURCE.");
    }
    if (isMany && options.versionId !== undefined) throw invalid("--version-id is of one object.");
    const { withObjects } = await import("./objects-connection.js");
    const { TransferReport } = await import("./transfer-report.js");
    const { runTasks } = await import("./run-tasks.js");
    const { recursiveTasks } = await import("./recursive-tasks.js");
    const { TransferTasks } = await import("./transfer-task.js");
    const { goesWithItsObject } = await import("./files-beside.js");
    const { dryrun = false, versionId } = options;
    // What is on standard output is the object; and of standard input aws says nothing either.
    const isStream = pair.from.kind === "stream" || pair.to.kind === "stream";
    if (pair.to.kind === "stream") takeStandardOutput();
    const isSilent = isStream && options.json !== true;
    const report = new TransferReport(isSilent ? { ...options, onlyShowErrors: true } : options);
    const asked = {
      address: bucketOf(pair),
      isMove: verb === "mv",
      readsStandardInput: pair.from.kind === "stream",
    };
    await ending(
      withObjects(options, asked, interrupts, async (context) => {
        async function* one(): AsyncGenerator<Task> {
          const name = pair.takesName ? nameOf(pair.from) : "";
          const version = versionId === undefined ? {} : { versionId };
          const tasks = new TransferTasks(context, pair);
          const step = tasks.step(pair.from, targetOf(pair, name));
          try {
            const size = await sizeOf(context, pair, { ...version, dryrun });
            yield (await isFileOfAnother(context, pair))
              ? { step, error: goesWithItsObject() }
              : tasks.of({ place: pair.from, name, size, ...version });
          } catch (error) {
            context.signal.throwIfAborted();
            yield { step, error };
          }
        }
        const tasks = isMany ? recursiveTasks(context, pair, pathFilter(rules()), options) : one();
        const run = async (): Promise<void> => {
          await runTasks(tasks, report, { dryrun, signal: interrupts.signal });
          if (isMany) await tellUnnamed(context, pair, report);
          else if (!dryrun && report.countDone > 0) await tellLeft(context, pair, report);
        };
        return await report.of(run, isMany);
      }),
    );
  });
}

/** Bytes that are expected, where they are not told on the way. What is only said to be done, has to be there. */
async function sizeOf(
  { plain, parameters, signal }: TransferContext,
  { from, direction }: PlacePair,
  { versionId, dryrun }: { readonly versionId?: string; readonly dryrun: boolean },
): Promise<number> {
  if (from.kind === "local") return (await stat(from.path)).size;
  if (from.kind === "stream" || !dryrun) return 0;
  const { sizeOfObject } = await import("./same-content.js");
  const isCopied = direction === "copy";
  const input = {
    ...parameters[isCopied ? "getSource" : "get"],
    Bucket: from.Bucket,
    Key: from.Key,
    ...(versionId === undefined ? {} : { VersionId: versionId }),
  };
  const { headObject } = await import("../head-object.js");
  const head = await headObject(plain, input, signal);
  return isCopied ? (head.ContentLength ?? 0) : sizeOfObject(head);
}

async function isFileOfAnother(
  { filesBeside, isMove }: TransferContext,
  { from, direction }: PlacePair,
): Promise<boolean> {
  if (from.kind !== "s3") return false;
  const beside = filesBeside(from.Bucket, direction === "copy" ? "getSource" : "get");
  // A copy leaves what it copies.
  return isMove ? await beside.isFileOfAnother(from.Key) : await beside.isFileThere(from.Key);
}

/** Of one object that is gone, or copied, says what of it was left under a suffix that nobody named. */
async function tellLeft(
  context: TransferContext,
  { from, direction }: PlacePair,
  report: TransferReport,
): Promise<void> {
  if (from.kind !== "s3" || (direction === "download" && !context.isMove)) return;
  const { leftBeside } = await import("./left-beside.js");
  const done = !context.isMove ? "copied" : direction === "download" ? "moved down" : "moved";
  for (const sentence of await leftBeside(context, from, done)) await report.say(sentence);
}

/** Of downloads of which some failed, says once of each suffix that nobody named what such objects seem to be. */
export async function tellUnnamed(
  { filesBeside }: TransferContext,
  { from, direction }: PlacePair,
  report: TransferReport,
): Promise<void> {
  if (from.kind !== "s3" || direction !== "download" || report.failed === 0) return;
  for (const suffix of await filesBeside(from.Bucket, "get").unnamedSuffixes()) {
    await report.say(
      `What ends in ${JSON.stringify(suffix)} beside an object seems to be its instruction file, which is nothing to download: say --exclude '*${suffix}', or name the suffix in the configuration.`,
    );
  }
}

/** Ends the command with the code of what has said all there is to say. */
export async function ending(code: Promise<number>): Promise<void> {
  const exitCode = await code;
  if (exitCode !== EXIT_CODES.ok) throw new Verdict(exitCode);
}

/** Throws `invalid-argument` for what is said of plain objects where there are none, or where none could be encrypted. */
export function assertPlain({ direction }: PlacePair, { plain }: TransferOptions): void {
  if (plain === undefined) return;
  if (direction === "upload") throw invalid("--plain is of objects: a file is always encrypted.");
  if (direction === "download" && plain === "encrypt") {
    throw invalid("--plain encrypt is of copies within S3: to get a plain object say --plain copy.");
  }
}

/** The one that stands in S3, or the target where both do. */
export function bucketOf({ from, to }: PlacePair): ObjectAddress {
  if (to.kind === "s3") return to;
  if (from.kind === "s3") return from;
  throw invalid("Neither of the two is in S3.");
}

function bytes(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write a number of bytes.");
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
