import { mkdir } from "node:fs/promises";
import { deletionsOfExtraneous, fileDeletions } from "./deletion-tasks.js";
import { assertExists } from "./found-below.js";
import type { PathFilter } from "./path-filter.js";
import type { PlacePair } from "./place-pair.js";
import { runTasks } from "./run-tasks.js";
import { SyncComparison, type SyncOptions } from "./sync-tasks.js";
import { tellUnnamed } from "./transfer-command.js";
import type { TransferContext } from "./transfer-context.js";
import type { TransferReport } from "./transfer-report.js";

/** What is synced, and how. */
export interface WholeSyncOptions extends SyncOptions {
  readonly isMeant: PathFilter;
  readonly delete?: boolean;
  readonly dryrun?: boolean;
}

/**
 * Transfers what the target has not, or has otherwise; then, where that is asked for, deletes what only the target has. Nothing
 * is deleted unless both sides were read to their ends, the source is there, and everything was transferred.
 */
export async function sync(
  context: TransferContext,
  pair: PlacePair,
  options: WholeSyncOptions,
  report: TransferReport,
): Promise<void> {
  const { isMeant, delete: deletes = false, dryrun = false } = options;
  const { signal } = context;
  if (pair.to.kind === "local" && !dryrun) await mkdir(pair.to.path, { recursive: true });
  const comparison = new SyncComparison(context, pair, isMeant, options);
  await runTasks(comparison.tasks(), report, { dryrun, signal });
  await tellUnnamed(context, pair, report);
  const { findings } = comparison;
  if (!deletes || findings === undefined || findings.objects.length + findings.files.length === 0) return;
  assertExists(pair.from, findings.isSourceEmpty);
  const left = report.unread > 0 ? "could not be read" : report.failed > 0 ? "failed" : undefined;
  if (left !== undefined) {
    await report.say(`Nothing was deleted, since ${report.unread + report.failed} ${left}: run it again.`);
    return;
  }
  const { to } = pair;
  if (to.kind === "stream") return;
  const tasks =
    to.kind === "s3" ? deletionsOfExtraneous(context, to, findings.objects) : fileDeletions(to.path, findings.files);
  await runTasks(tasks, report, { dryrun, signal });
}
