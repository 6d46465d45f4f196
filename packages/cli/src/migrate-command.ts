import type { Command } from "commander";
import { listed } from "./command-options.js";
import type { Interrupts } from "./interruption.js";
import { endingWith, manyDone } from "./many-done.js";
import { manyOptions } from "./many-options.js";
import type { MigrateCommandOptions } from "./migrate-object.js";
import { type ObjectAddress, prefixAddress } from "./object-address.js";
import { assertSource, isMany } from "./object-source.js";
import { warn } from "./printing.js";
import { configurationOf, withKeeping, withTarget } from "./target-options.js";

/** `s3ec migrate`. */
export function migrateCommand(command: Command, interrupts: Interrupts): void {
  manyOptions(withKeeping(withTarget(command, "the new data key; default: that of --config")))
    .argument("<s3://bucket/key>", "which object, or with --recursive which", prefixAddress)
    .option("--drop <SUFFIX>", "let the key in this instruction file no longer open it (repeatable)", listed)
    .action(async (address: ObjectAddress, options: MigrateCommandOptions, self: Command) => {
      assertSource(address, options, self);
      const { connectBoth } = await import("./connection.js");
      const { migrateAddress, migrateAll } = await import("./migrate-object.js");
      // Standard input may have the keys of the objects.
      const stdin = options.keys === "-" ? false : process.stdin;
      const both = await connectBoth(options, configurationOf(options), address.Bucket, { stdin, onWarning: warn });
      const { client, configuration, to: materialsManager, toConfiguration, dispose } = both;
      const work = { configuration, materialsManager, toConfiguration, signal: interrupts.signal };
      await endingWith(dispose, async () => {
        if (!isMany(options)) return await interrupts.transfer(() => migrateAddress(client, address, options, work));
        await manyDone(interrupts, options, () => migrateAll(client, address, options, work));
      });
    });
}
