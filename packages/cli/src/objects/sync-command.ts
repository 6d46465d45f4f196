import type { Command } from "commander";
import type { Interrupts } from "../interruption.js";
import { pathFilter } from "./path-filter.js";
import type { Place } from "./place.js";
import { placePair } from "./place-pair.js";
import type { SyncOptions } from "./sync-tasks.js";
import { assertPlain, bucketOf, ending, type TransferOptions, transferOptions } from "./transfer-command.js";

type Options = TransferOptions & SyncOptions & { readonly delete?: boolean };

/** `s3ec sync`. */
export function syncCommand(command: Command, interrupts: Interrupts): void {
  const rules = transferOptions(command);
  command
    .option("--delete", "delete what only TARGET has, once everything else is done and nothing has failed")
    .option("--size-only", "compare sizes, and not times")
    .option("--exact-timestamps", "of downloads: transfer again whatever is not exactly as old")
    .option("--trust-listing", "take sizes from the listing, as of what this client wrote, and ask for none")
    .action(async (source: Place, target: Place, options: Options) => {
      const pair = await placePair(source, target, { command: "sync", isMany: true });
      assertPlain(pair, options);
      const { withObjects } = await import("./objects-connection.js");
      const { TransferReport } = await import("./transfer-report.js");
      const { sync } = await import("./sync.js");
      const report = new TransferReport(options);
      await ending(
        withObjects(options, { address: bucketOf(pair) }, interrupts, (context) =>
          report.of(() => sync(context, pair, { ...options, isMeant: pathFilter(rules()) }, report), true),
        ),
      );
    });
}
