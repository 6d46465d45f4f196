import type { Command } from "commander";
import { listed } from "./command-options.js";
import type { Interrupts } from "./interruption.js";
import type { MigrateCommandOptions } from "./migrate-object.js";
import { type ObjectAddress, oneObject } from "./object-address.js";
import { print, warn } from "./printing.js";
import { configurationOf, withKeeping, withTarget } from "./target-options.js";

/** `s3ec migrate`. */
export function migrateCommand(command: Command, interrupts: Interrupts): void {
  withKeeping(withTarget(command, "the new data key; default: that of --config"))
    .argument("<s3://bucket/key>", "which object", oneObject("migrate"))
    .option("--drop <SUFFIX>", "let the key in this instruction file no longer open it (repeatable)", listed)
    .action(async (address: ObjectAddress, options: MigrateCommandOptions) => {
      const { connectBoth } = await import("./connection.js");
      const { migrateAddress } = await import("./migrate-object.js");
      const { client, configuration, to, dispose } = await connectBoth(
        options,
        configurationOf(options),
        address.Bucket,
        { onWarning: warn },
      );
      let done: string;
      try {
        const work = { configuration, materialsManager: to, signal: interrupts.signal };
        done = await interrupts.transfer(() => migrateAddress(client, address, options, work));
      } finally {
        await dispose();
      }
      await print(done);
    });
}
