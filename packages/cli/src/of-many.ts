import { S3EncryptionError } from "@s3ec/materials";
import type { Command, Option } from "commander";

const OF_MANY = new WeakSet<Option>();

/** Whatever options are added here say something of many objects alone: where one object is named, they are refused. */
export function ofMany(command: Command, add: (command: Command) => unknown): Command {
  const before = new Set(command.options);
  add(command);
  for (const option of command.options) if (!before.has(option)) OF_MANY.add(option);
  return command;
}

/** Throws `invalid-argument` for an option of many that was said. */
export function assertOfOne(command: Command, how: string): void {
  const said = command.options.find(
    (option) => OF_MANY.has(option) && command.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (said === undefined) return;
  throw new S3EncryptionError("invalid-argument", `${said.long} is of many objects: ${how}.`);
}
