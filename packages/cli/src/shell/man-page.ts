import type { Command, Help } from "commander";
import { TOPICS } from "../help/topics.js";

/** The manual page of a command and all below it, for `man` (groff's man macros). */
export function manPage(root: Command): string {
  const help = root.createHelp();
  const name = root.name();
  return [
    `.TH ${name.toUpperCase()} 1 "" "${name} ${root.version() ?? ""}" "User Commands"`,
    ".SH NAME",
    `${text(name)} \\- ${text(root.description())}`,
    ".SH SYNOPSIS",
    `.B ${name}`,
    ".I COMMAND",
    "[\\fIOPTIONS\\fR]",
    ".SH COMMANDS",
    ...help.visibleCommands(root).flatMap((command) => section(help, command, name)),
    ...Object.entries(TOPICS).flatMap(([topic, { body }]) => [
      `.SH ${text(topic.toUpperCase())}`,
      ".nf",
      ...body.split("\n").map(line),
      ".fi",
    ]),
  ]
    .join("\n")
    .concat("\n");
}

function section(help: Help, command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  const inner = help.visibleCommands(command).filter((each) => command.commands.includes(each));
  const described = [".PP", text(help.commandDescription(command))];
  if (inner.length > 0) {
    return [`.SS ${text(name)}`, ...described, ...inner.flatMap((each) => section(help, each, name))];
  }
  return [
    `.SS ${text(`${name} ${command.usage().includes("[options]") ? "[options] " : ""}${argumentsOf(command)}`)}`,
    ...described,
    ...help.visibleArguments(command).flatMap((each) => item(help.argumentTerm(each), help.argumentDescription(each))),
    ...help.visibleOptions(command).flatMap((each) => item(help.optionTerm(each), help.optionDescription(each))),
  ];
}

function argumentsOf(command: Command): string {
  return command.registeredArguments
    .map((each) => {
      const name = `${each.name()}${each.variadic ? "..." : ""}`;
      return each.required ? `<${name.replaceAll(/^<|>$/g, "")}>` : `[${name}]`;
    })
    .join(" ");
}

function item(term: string, description: string): string[] {
  return [".TP", `.B ${text(term)}`, ...(description === "" ? [] : [text(description)])];
}

function line(written: string): string {
  const shown = text(written);
  return shown === "" ? ".sp" : shown;
}

/** As roff prints it back: a backslash, a minus that is copied into a shell, and a dot that begins a line. */
function text(written: string): string {
  return written
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^(?=[.'])/, "\\&");
}
