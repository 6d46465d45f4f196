import type { Command } from "commander";

/** One `--include` or `--exclude`, in the order of the command line. */
export interface FilterRule {
  readonly isIncluded: boolean;
  readonly pattern: string;
}

/** Whether what is called so, below the source and the target, is meant. */
export type PathFilter = (name: string) => boolean;

/** Adds `--include` and `--exclude`, whose order among each other decides; gives what they have gathered, as each of the two does. */
export function filterOptions(command: Command): () => readonly FilterRule[] {
  const rules: FilterRule[] = [];
  const gather =
    (isIncluded: boolean) =>
    (pattern: string): readonly FilterRule[] => {
      rules.push({ isIncluded, pattern });
      return rules;
    };
  command
    .option("--exclude <PATTERN>", "leave out names like this; * stands for slashes, too (repeatable)", gather(false))
    .option(
      "--include <PATTERN>",
      "do not leave out names like this (repeatable; the last that fits wins)",
      gather(true),
    );
  return () => rules;
}

/** As `aws s3` has it: everything is meant, the last rule that fits wins. */
export function pathFilter(rules: readonly FilterRule[]): PathFilter {
  const compiled = rules.map(({ isIncluded, pattern }) => ({ isIncluded, matches: shellPattern(pattern) }));
  return (name) => compiled.findLast(({ matches }) => matches.test(name))?.isIncluded ?? true;
}

/**
 * Python's `fnmatch`, which `aws s3` reads patterns by: `*` is any text, slashes and leading dots too, `?` one character,
 * `[a-z]` and `[!a-z]` one of a set; nothing escapes.
 */
export function shellPattern(pattern: string): RegExp {
  let source = "";
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? "";
    if (character === "*") source += ".*";
    else if (character === "?") source += ".";
    else if (character === "[") {
      // What stands first in a set does not end it.
      const first = characters[at + 1] === "!" ? at + 2 : at + 1;
      const end = characters.indexOf("]", first + 1);
      if (end < 0) source += "\\[";
      else {
        source += setOf(characters.slice(first, end), first === at + 2);
        at = end;
      }
    } else source += escaped(character);
  }
  return new RegExp(`^(?:${source})$`, "su");
}

function setOf(members: readonly string[], isNegated: boolean): string {
  const parts: string[] = [];
  for (let at = 0; at < members.length; at += 1) {
    const [from = "", dash, to] = members.slice(at, at + 3);
    if (dash === "-" && to !== undefined) {
      // One that runs backwards holds nothing.
      if ((from.codePointAt(0) ?? 0) <= (to.codePointAt(0) ?? 0)) parts.push(`${member(from)}-${member(to)}`);
      at += 2;
    } else parts.push(member(from));
  }
  if (parts.length === 0) return isNegated ? "." : "(?!)";
  return `[${isNegated ? "^" : ""}${parts.join("")}]`;
}

function escaped(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function member(character: string): string {
  return /[\\^\][-]/.test(character) ? `\\${character}` : character;
}
