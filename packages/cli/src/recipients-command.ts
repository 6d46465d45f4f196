import { type Command, Option } from "commander";
import { type Explained, listed } from "./command-options.js";
import { EXIT_CODES, Verdict } from "./exit-codes.js";
import type { Interrupts } from "./interruption.js";
import { say, sayLine } from "./json/json-output.js";
import { endingWith } from "./many-done.js";
import { type ObjectAddress, objectAddress } from "./object-address.js";
import { warn } from "./printing.js";
import type { AddCommandOptions, RecipientsCommandOptions, VersionAddress } from "./recipients.js";
import { withTarget } from "./target-options.js";

/** `s3ec recipients add`, `remove` and `list`. */
export function recipientsCommands(root: Command, interrupts: Interrupts, common: Explained): void {
  const commands = root
    .command("recipients")
    .description("Say which further keys open an object, add one and remove one; its content stays as it is.");
  withTarget(named(common(commands.command("add"))), "for the recipient")
    .description("Wrap an object's data key for a further recipient, in an annotation or a file beside it.")
    .addOption(new Option("--in <PLACE>", "where it goes").choices(["annotation", "instruction-file"]))
    .option("--same-owner", "the key is the same owner's: read no content, and leave the data key in KMS")
    .addOption(
      new Option("--verify <WHAT>", "what is verified (default: envelope)").choices(["envelope", "content", "none"]),
    )
    .option("--allow-loss <NAME>", "let this of a file that is shared with its object get lost (repeatable)", listed)
    .action(async (address: ObjectAddress, recipient: string, options: AddCommandOptions) => {
      const { connectBoth } = await import("./connection.js");
      const { addTo, targetOf } = await import("./recipients.js");
      const target = targetOf(options);
      const { client, to, dispose } = await connectBoth(options, target, address.Bucket, { onWarning: warn });
      await endingWith(dispose, async () => {
        const work = { materialsManager: to, signal: interrupts.signal };
        const added = await interrupts.transfer(() =>
          addTo(client, versioned(address, options), recipient, options, work),
        );
        await sayLine(added, options.json);
      });
    });
  named(common(commands.command("remove")))
    .description("Remove a recipient's wrapped keys beside an object. Whoever has opened it may keep its data key.")
    .action(async (address: ObjectAddress, recipient: string, options: RecipientsCommandOptions) => {
      const { connect } = await import("./connection.js");
      const { removeFrom } = await import("./recipients.js");
      const { client, dispose } = await connect(options, address.Bucket, { onWarning: warn });
      await endingWith(dispose, async () => {
        const { isGone, ...removed } = await interrupts.transfer(() =>
          removeFrom(client, versioned(address, options), recipient, interrupts.signal),
        );
        await sayLine(removed, options.json);
        if (!isGone) throw new Verdict(EXIT_CODES.open);
      });
    });
  common(commands.command("list"))
    .description("List the wrapped keys beside an object. Nothing of it is authenticated.")
    .argument("<s3://bucket/key>", "which object", objectAddress)
    .option(...VERSION)
    .action(async (address: ObjectAddress, options: RecipientsCommandOptions) => {
      const { connect } = await import("./connection.js");
      const { listOf } = await import("./recipients.js");
      const { client, dispose } = await connect(options, address.Bucket, { onWarning: warn });
      await endingWith(dispose, async () => {
        const listed = await interrupts.transfer(() => listOf(client, versioned(address, options), interrupts.signal));
        await say(listed, options.json);
      });
    });
}

const VERSION = ["--version-id <ID>", "a version of the object: its annotations alone"] as const;

function versioned(address: ObjectAddress, { versionId }: RecipientsCommandOptions): VersionAddress {
  return versionId === undefined ? address : { ...address, VersionId: versionId };
}

function named(command: Command): Command {
  return command
    .argument("<s3://bucket/key>", "which object", objectAddress)
    .argument("<NAME>", "the recipient's name, such as escrow")
    .option(...VERSION);
}
