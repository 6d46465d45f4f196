import { type Command, Option } from "commander";
import { positive } from "./command-options.js";
import { EXIT_CODES, Verdict } from "./exit-codes.js";
import type { Interrupts } from "./interruption.js";
import { type ObjectAddress, prefixAddress } from "./object-address.js";
import { assertSource, sourceOptions } from "./object-source.js";
import { ofMany } from "./of-many.js";
import { warn } from "./printing.js";
import type { VerifyCommandOptions } from "./verify-many.js";

/** `s3ec verify`. */
export function verifyCommand(command: Command, interrupts: Interrupts): void {
  sourceOptions(command.argument("<s3://bucket/prefix>", "which object, or with --recursive which", prefixAddress));
  ofMany(command, () => {
    command.option("--concurrency <N>", "objects that are read at once (default: 8)", positive);
  });
  command
    .addOption(
      new Option("--plain <WHAT>", "objects that are not encrypted may be there (default: exit with 8)").choices([
        "skip",
      ]),
    )
    .option("--summary", "the totals alone")
    .action(async (address: ObjectAddress, options: VerifyCommandOptions, self: Command) => {
      const { connect } = await import("./connection.js");
      const { verifyMany } = await import("./verify-many.js");
      assertSource(address, options, self);
      // Standard input may have the keys of the objects.
      const stdin = options.keys === "-" ? false : process.stdin;
      const { client, dispose } = await connect(options, address.Bucket, { stdin, onWarning: warn });
      let code: number;
      try {
        code = await interrupts.transfer(() => verifyMany(client, address, options, interrupts.signal));
      } finally {
        await dispose();
      }
      if (code !== EXIT_CODES.ok) throw new Verdict(code);
    });
}
