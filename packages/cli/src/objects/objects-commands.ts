import type { Command } from "commander";
import type { Interrupts } from "../interruption.js";
import { catCommand } from "./cat-command.js";
import { lsCommand } from "./ls-command.js";
import { rmCommand } from "./rm-command.js";
import { syncCommand } from "./sync-command.js";
import { copyCommand } from "./transfer-command.js";

/** What gives a command the options that name S3 and keys, or S3 alone, and what it is for. */
export interface Described {
  readonly withKeys: (command: Command, description: string) => Command;
  readonly withoutKeys: (command: Command, description: string) => Command;
}

/** The verbs of `aws s3`. */
export function objectsCommands(root: Command, interrupts: Interrupts, { withKeys, withoutKeys }: Described): void {
  copyCommand(
    withKeys(root.command("cp"), "Copy files and objects: up, down, or within S3; as aws s3 cp does."),
    "cp",
    interrupts,
  );
  copyCommand(
    withKeys(root.command("mv"), "The same, and what was copied is removed, if it is still what was read."),
    "mv",
    interrupts,
  );
  syncCommand(
    withKeys(root.command("sync"), "Copy what the target has not, or has otherwise, by size of plaintext and time."),
    interrupts,
  );
  lsCommand(
    withoutKeys(
      root.command("ls"),
      "List objects, or buckets, as aws s3 ls does; a size is that of the plaintext of what this client has written.",
    ),
    interrupts,
  );
  catCommand(withKeys(root.command("cat"), "Decrypt objects to standard output."), interrupts);
  rmCommand(withKeys(root.command("rm"), "Delete objects with the instruction files beside them."), interrupts);
}
