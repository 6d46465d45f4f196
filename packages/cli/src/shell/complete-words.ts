import type { Argument, Command, Option } from "commander";

/** What could stand in the place of the last word, and what S3 would have to be asked for. */
export interface Candidates {
  readonly words: readonly string[];
  /** The beginning of an object's address; undefined where none is asked for. */
  readonly address: string | undefined;
  /** Values of the options that were given, by their long names, for whoever asks S3. */
  readonly given: Readonly<Record<string, string>>;
}

/** What takes the words of other commands for its own. */
const ABOUT_COMMANDS: ReadonlySet<string> = new Set(["help", "schema"]);
const NOTHING: readonly string[] = [];

/**
 * Completes the last of the words, which may be empty: commands, options, values that are to be chosen from, and the
 * beginnings of addresses. Nothing where a file is meant.
 */
export function completeWords(root: Command, words: readonly string[], topics: readonly string[]): Candidates {
  const current = words.at(-1) ?? "";
  const { command, position, given, awaiting } = walked(root, words.slice(0, -1));
  const found = (candidates: readonly string[], address?: string): Candidates => ({
    words: candidates.filter((candidate) => candidate.startsWith(current)),
    address,
    given,
  });
  if (awaiting !== undefined) return ofValue(awaiting, current, found);
  if (current.startsWith("-")) {
    return found(
      command
        .createHelp()
        .visibleOptions(command)
        .flatMap(({ long }) => long ?? []),
    );
  }
  const names = shownCommands(command);
  if (ABOUT_COMMANDS.has(command.name())) {
    const before = words.slice(1, -1).filter((word) => !word.startsWith("-"));
    const about = before.reduce<Command | undefined>(
      (parent, word) => parent?.commands.find((each) => each.name() === word),
      root,
    );
    const isTopic = command.name() === "help" && before.length === 0;
    return found([...(isTopic ? topics : []), ...(about === undefined ? [] : shownCommands(about))]);
  }
  if (names.length > 0) return found(position === 0 ? names : NOTHING);
  const taken = command.registeredArguments;
  const argument = taken[position] ?? taken.findLast(({ variadic }) => variadic);
  return argument === undefined ? found(NOTHING) : ofArgument(argument, current, found);
}

/** Without the help that each has, and what is asked by scripts only. */
function shownCommands(command: Command): string[] {
  const shown = command.createHelp().visibleCommands(command);
  return shown.filter((each) => command.commands.includes(each)).map((each) => each.name());
}

type Found = (candidates: readonly string[], address?: string) => Candidates;

function ofValue({ argChoices, flags }: Option, current: string, found: Found): Candidates {
  if (argChoices !== undefined) return found(argChoices);
  return flags.includes("<s3://") ? ofAddress(current, found) : found(NOTHING);
}

function ofArgument(argument: Argument, current: string, found: Found): Candidates {
  if (argument.argChoices !== undefined) return found(argument.argChoices);
  // What may be a file as well says so by its name.
  if (argument.name().startsWith("s3://") || current.startsWith("s3://")) return ofAddress(current, found);
  return found(NOTHING);
}

const SCHEME = "s3://";

function ofAddress(current: string, found: Found): Candidates {
  return current.startsWith(SCHEME) ? found(NOTHING, current) : found([SCHEME]);
}

interface Walked {
  readonly command: Command;
  /** Index of the argument that comes next. */
  readonly position: number;
  readonly given: Record<string, string>;
  /** The option whose value comes next. */
  readonly awaiting: Option | undefined;
}

function walked(root: Command, words: readonly string[]): Walked {
  let command = root;
  let position = 0;
  let awaiting: Option | undefined;
  let isOptions = true;
  const given: Record<string, string> = {};
  for (const word of words) {
    if (awaiting !== undefined) {
      given[awaiting.name()] = word;
      awaiting = undefined;
    } else if (isOptions && word === "--") isOptions = false;
    else if (isOptions && word.startsWith("-") && word !== "-") {
      const [name = "", value] = word.split(/=(.*)/s);
      const option = command.options.find(({ long, short }) => name === long || name === short);
      if (option === undefined || !(option.required || option.optional)) continue;
      if (value === undefined) awaiting = option;
      else given[option.name()] = value;
    } else {
      const next = command.commands.find((each) => each.name() === word);
      if (next === undefined) position += 1;
      else command = next;
    }
  }
  return { command, position, given, awaiting };
}
