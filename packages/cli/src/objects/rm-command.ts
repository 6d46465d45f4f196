import { S3EncryptionError } from "@s3ec/materials";
import type { Command } from "commander";
import { dryRunOption } from "../command-options.js";
import type { Interrupts } from "../interruption.js";
import { formatAddress, type ObjectAddress } from "../object-address.js";
import { requestOptions } from "./object-options.js";
import type { ObjectsOptions } from "./objects-connection.js";
import { filterOptions, pathFilter } from "./path-filter.js";
import { s3Place } from "./place.js";
import { ending, reportOptions } from "./transfer-command.js";
import type { ReportOptions } from "./transfer-report.js";

type Options = ObjectsOptions & ReportOptions & { readonly recursive?: boolean };

/** `s3ec rm`. */
export function rmCommand(command: Command, interrupts: Interrupts): void {
  requestOptions(reportOptions(command))
    .argument("<s3://bucket/key>", "what to delete, with the instruction files beside it", s3Place)
    .option("--recursive", "everything below it");
  dryRunOption(command, "--dryrun", "say what would be deleted, and delete nothing");
  const rules = filterOptions(command);
  command.action(async (address: ObjectAddress, options: Options) => {
    const { recursive: isMany = false, dryrun = false } = options;
    if (!isMany && (address.Key === "" || rules().length > 0)) {
      throw new S3EncryptionError(
        "invalid-argument",
        `${formatAddress(address)} is of many: say --recursive for all below it.`,
      );
    }
    const { withObjects } = await import("./objects-connection.js");
    const { TransferReport } = await import("./transfer-report.js");
    const { deletionOfNamed, deletionsBelow } = await import("./deletion-tasks.js");
    const { runTasks } = await import("./run-tasks.js");
    const report = new TransferReport({ ...options, progress: false });
    await ending(
      withObjects(options, { address }, interrupts, async (context) => {
        const tasks = isMany
          ? deletionsBelow(context, folderOf(address), pathFilter(rules()))
          : deletionOfNamed(context, address);
        const run = async (): Promise<void> => {
          await runTasks(tasks, report, { dryrun, signal: interrupts.signal });
          if (isMany || dryrun || report.countDone === 0) return;
          const { leftBeside } = await import("./left-beside.js");
          for (const sentence of await leftBeside(context, address, "deleted")) await report.say(sentence);
        };
        return await report.of(run, isMany);
      }),
    );
  });
}

function folderOf({ Bucket, Key }: ObjectAddress): ObjectAddress {
  return { Bucket, Key: Key === "" || Key.endsWith("/") ? Key : `${Key}/` };
}
