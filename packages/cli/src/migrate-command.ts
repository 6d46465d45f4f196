import type { Command } from "commander";
import { entry, listed } from "./command-options.js";
import type { Interrupts } from "./interruption.js";
import type { MigrateCommandOptions } from "./migrate-object.js";
import { type ObjectAddress, oneObject } from "./object-address.js";
import { print, warn } from "./printing.js";

/** `s3ec migrate`. */
export function migrateCommand(command: Command, interrupts: Interrupts): void {
  command
    .argument("<s3://bucket/key>", "which object", oneObject("migrate"))
    .option("--to-context <k=v>", "the new encryption context (repeatable); default: that of --context", entry)
    .option("--to-description <k=v>", "the new material description (repeatable)", entry)
    .option("--drop <SUFFIX>", "let the key in this instruction file no longer open it (repeatable)", listed)
    .option("--allow-loss <NAME>", "let this of the object get lost (repeatable)", listed)
    .action(async (address: ObjectAddress, options: MigrateCommandOptions) => {
      const { connect } = await import("./connection.js");
      const { migrateAddress } = await import("./migrate-object.js");
      const { client, dispose } = await connect(options, address.Bucket, { onWarning: warn });
      let done: string;
      try {
        done = await interrupts.transfer(() => migrateAddress(client, address, options, interrupts.signal));
      } finally {
        await dispose();
      }
      await print(done);
    });
}
