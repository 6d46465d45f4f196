import { type Command, Option } from "commander";
import { listed } from "./command-options.js";
import type { Interrupts } from "./interruption.js";
import { endingWith, manyDone } from "./many-done.js";
import { manyOptions } from "./many-options.js";
import { type ObjectAddress, prefixAddress } from "./object-address.js";
import { assertSource, isMany } from "./object-source.js";
import { ofMany } from "./of-many.js";
import { warn } from "./printing.js";
import type { RewrapCommandOptions } from "./rewrap-object.js";
import { withKeeping, withTarget } from "./target-options.js";

/** `s3ec rewrap`. */
export function rewrapCommand(command: Command, interrupts: Interrupts): void {
  manyOptions(withKeeping(withTarget(command, "from now on; default: that of --config")));
  ofMany(command, () => {
    command.option(
      "--also-recipient <NAME>",
      "of many objects, re-wrap what this recipient has of each, too (repeatable)",
      listed,
    );
  });
  command
    .argument("<s3://bucket/key>", "which object, or with --recursive which", prefixAddress)
    .option("--to-suffix <SUFFIX>", "write a further instruction file, for an RSA key")
    .option("--recipient <NAME>", "re-wrap this recipient's annotation in place of the object's own wrap")
    .option("--same-owner", "the new key is the same owner's: read no content, and leave the data key in KMS")
    .addOption(
      new Option("--verify <WHAT>", "what is verified (default: envelope)").choices(["envelope", "content", "none"]),
    )
    .option("--enforce-rotation", "refuse a key that is not another one")
    .option("--decrypt-here", "between KMS keys of one owner, Decrypt and Encrypt in place of ReEncrypt")
    .addHelpText(
      "after",
      "\nWithout --suffix and --recipient it is the wrapped key in an object's metadata that is replaced, or, where that holds\nnone, the one in its instruction file (.instruction, or the configuration's suffix). What else lies beside it stays.",
    )
    .action(async (address: ObjectAddress, options: RewrapCommandOptions, self: Command) => {
      assertSource(address, options, self);
      const { connectBoth } = await import("./connection.js");
      const { rewrapAddress, rewrapAll, targetOf } = await import("./rewrap-object.js");
      const target = targetOf(options);
      // Standard input may have the keys of the objects.
      const stdin = options.keys === "-" ? false : process.stdin;
      const both = await connectBoth(options, target, address.Bucket, { stdin, onWarning: warn });
      const { client, to: materialsManager, toConfiguration, dispose } = both;
      const work = { materialsManager, toConfiguration, signal: interrupts.signal };
      await endingWith(dispose, async () => {
        if (!isMany(options)) return await interrupts.transfer(() => rewrapAddress(client, address, options, work));
        await manyDone(interrupts, options, () => rewrapAll(client, address, options, work));
      });
    });
}
