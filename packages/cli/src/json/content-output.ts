import type { Command } from "commander";
import { openDescriptorOf, STANDARD_OUTPUT } from "../open-descriptor.js";

/** What stands on a command line, as far as that can be told where some of it is wrong. */
interface Said {
  readonly operands: readonly string[];
  /** The last value of `--output`. */
  readonly output: string | undefined;
}

/** Whether standard output is to have the content of an object: what is said of it, of an error too, then goes elsewhere. */
export async function isContentAsked(root: Command, args: readonly string[]): Promise<boolean> {
  const at = args.findIndex((each) => !each.startsWith("-"));
  const command = root.commands.find((each) => each.name() === args[at]);
  if (command === undefined) return false;
  const { operands, output } = saidIn(command, args.slice(at + 1));
  const [, ...targets] = operands;
  switch (command.name()) {
    case "cat":
      return true;
    case "get":
      return await isStandardOutput(targets);
    case "cp":
    case "mv":
      return targets.includes("-");
    case "decrypt":
      return await isStandardOutput([output ?? "-"]);
    case "encrypt":
      return output === "-";
    default:
      return false;
  }
}

async function isStandardOutput(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if ((await openDescriptorOf(path, STANDARD_OUTPUT)) === STANDARD_OUTPUT) return true;
  return false;
}

/** An option that there is not is taken for one without a value. */
function saidIn(command: Command, args: readonly string[]): Said {
  const operands: string[] = [];
  let output: string | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      operands.push(...args.slice(at + 1));
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) {
      operands.push(arg);
      continue;
    }
    const [, name = arg, glued] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? /^(-[^-])(.+)$/s.exec(arg) ?? [];
    const option = command.options.find(({ long, short }) => name === long || name === short);
    if (option?.required !== true) continue;
    if (glued === undefined) at += 1;
    if (option.long === "--output") output = glued ?? args[at];
  }
  return { operands, output };
}
