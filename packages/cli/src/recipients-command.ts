import { S3EncryptionError } from "@s3ec/materials";
import { type Command, Option } from "commander";
import { type Explained, listed } from "./command-options.js";
import { EXIT_CODES, Verdict } from "./exit-codes.js";
import type { Interrupts } from "./interruption.js";
import { say } from "./json/json-output.js";
import { endingWith, manyDone } from "./many-done.js";
import { manyOptions } from "./many-options.js";
import { type ObjectAddress, objectAddress, prefixAddress } from "./object-address.js";
import { assertSource, isMany } from "./object-source.js";
import { warn } from "./printing.js";
import type {
  AddCommandOptions,
  RecipientsCommandOptions,
  RemoveCommandOptions,
  VersionAddress,
} from "./recipients.js";
import { withTarget } from "./target-options.js";

/** What gives a command the options that name S3 and keys. */
export interface RecipientsKinds {
  /** Nothing is opened. */
  readonly looking: Explained;
  /** With what is opened, whichever wrap that is. */
  readonly reading: Explained;
  /** With which of its wraps, too. */
  readonly ofFile: Explained;
}

/** `s3ec recipients add`, `remove` and `list`. */
export function recipientsCommands(root: Command, interrupts: Interrupts, kinds: RecipientsKinds): void {
  const commands = root
    .command("recipients")
    .description(
      "Say which further keys open an object; add one to objects, or remove it; their content stays as it is.",
    );
  manyOptions(withTarget(named(kinds.ofFile(commands.command("add"))), "for the recipient"))
    .description(
      "Wrap the data key of an object, or of many, for a further recipient, in an annotation or a file beside it.",
    )
    .addOption(new Option("--in <PLACE>", "where it goes").choices(["annotation", "instruction-file"]))
    .option("--same-owner", "the key is the same owner's: read no content, and leave the data key in KMS")
    .addOption(
      new Option("--verify <WHAT>", "what is verified (default: envelope)").choices(["envelope", "content", "none"]),
    )
    .option("--allow-loss <NAME>", "let this of a file that is shared with its object get lost (repeatable)", listed)
    .action(async (address: ObjectAddress, recipient: string, options: AddCommandOptions, self: Command) => {
      assertRecipients(address, options, self);
      const { connectBoth } = await import("./connection.js");
      const { addTo, addToAll, targetOf } = await import("./recipients.js");
      const target = targetOf(options);
      const both = await connectBoth(options, target, address.Bucket, { stdin: stdinFor(options), onWarning: warn });
      const { client, to: materialsManager, toConfiguration, dispose } = both;
      const work = { materialsManager, toConfiguration, signal: interrupts.signal };
      await endingWith(dispose, async () => {
        if (!isMany(options)) {
          return await interrupts.transfer(() => addTo(client, versioned(address, options), recipient, options, work));
        }
        await manyDone(interrupts, options, () => addToAll(client, address, recipient, options, work));
      });
    });
  manyOptions(named(kinds.reading(commands.command("remove"))))
    .description("Remove a recipient's wrapped keys beside objects. Whoever has opened one may keep its data key.")
    .action(async (address: ObjectAddress, recipient: string, options: RemoveCommandOptions, self: Command) => {
      assertRecipients(address, options, self);
      const { connect } = await import("./connection.js");
      const { removeFrom, removeFromAll } = await import("./recipients.js");
      const { client, dispose } = await connect(options, address.Bucket, { stdin: stdinFor(options), onWarning: warn });
      const { signal } = interrupts;
      await endingWith(dispose, async () => {
        if (isMany(options)) {
          return await manyDone(interrupts, options, () => removeFromAll(client, address, recipient, options, signal));
        }
        const code = await interrupts.transfer(() =>
          removeFrom(client, versioned(address, options), recipient, options, signal),
        );
        if (code !== EXIT_CODES.ok) throw new Verdict(code);
      });
    });
  kinds
    .looking(commands.command("list"))
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

/** Throws `invalid-argument` for options that do not go together. */
function assertRecipients(address: ObjectAddress, options: RemoveCommandOptions, command: Command): void {
  assertSource(address, options, command);
  if (!isMany(options) || options.versionId === undefined) return;
  throw new S3EncryptionError("invalid-argument", "--version-id is of one object.");
}

/** It may have the keys of the objects. */
function stdinFor({ keys }: RemoveCommandOptions): typeof process.stdin | false {
  return keys === "-" ? false : process.stdin;
}

function named(command: Command): Command {
  return command
    .argument("<s3://bucket/key>", "which object, or with --recursive which", prefixAddress)
    .argument("<NAME>", "the recipient's name, such as escrow")
    .option(...VERSION);
}
