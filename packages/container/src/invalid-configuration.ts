import { nearestName } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { z } from "zod";

/** One wrong field: where it is, and what was expected there. Never holds a value of the file. */
export interface ConfigurationProblem {
  /** Such as `["keyring", "children", 0]`; empty for the configuration as a whole. */
  readonly path: readonly PropertyKey[];
  readonly expected: string;
}

/** What is refused, and where its parts are. */
export interface RefusedSource {
  /** The file's name; undefined for what no file holds. */
  readonly name: string | undefined;
  /** The path of a part in all of the file, and its line and column where the file is text. */
  readonly place: (path: readonly PropertyKey[]) => {
    readonly path: readonly PropertyKey[];
    readonly at?: string | undefined;
  };
}

/**
 * The refusal of a configuration, with one line for each wrong field. A key store that is away or refuses
 * (`key-unavailable`) makes no configuration wrong: it may serve the next time.
 */
export function invalidConfiguration(
  { name, place }: RefusedSource,
  problems: readonly ConfigurationProblem[],
  cause?: unknown,
): S3EncryptionError {
  const lines = problems.map((problem) => {
    const { path, at } = place(problem.path);
    const where = formatPath(path);
    return `  ${where === "" ? "" : `${where}: `}${problem.expected}${at === undefined ? "" : ` (${at})`}`;
  });
  const isAway = cause instanceof S3EncryptionError && cause.code === "key-unavailable";
  const wrong = name === undefined ? "is not valid" : "is not a valid configuration";
  const head = `${name ?? "The configuration"} ${isAway ? "names a key that cannot be used now" : wrong}`;
  const message = [`${head}:`, ...lines].join("\n");
  return new S3EncryptionError(
    isAway ? cause.code : "invalid-configuration",
    message,
    cause === undefined ? undefined : { cause },
  );
}

/**
 * What zod found, in our words: an issue's own text says what was expected, and never quotes the value it found.
 * `known` gives the fields that there are at a path, for the one that was probably meant; `input` has the values, for the
 * same.
 */
export function problemsOfIssues(
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
  known: (path: readonly PropertyKey[]) => readonly string[] = () => [],
): ConfigurationProblem[] {
  return issues.flatMap((issue): ConfigurationProblem[] => {
    if (issue.code !== "unrecognized_keys") {
      const { path } = issue;
      return [{ path, expected: `${sentenceOf(issue.message)}${nearestValue(issue, valueAt(input, path))}` }];
    }
    return issue.keys.map((key) => {
      const near = nearestName(key, known(issue.path));
      const advice = near === undefined ? "" : `; did you mean ${near}?`;
      return { path: [...issue.path, key], expected: `no such field is known here${advice}` };
    });
  });
}

/** Of values that can be listed, the one that was probably meant. */
function nearestValue(issue: z.core.$ZodIssue, value: unknown): string {
  if (typeof value !== "string") return "";
  const values: readonly unknown[] =
    issue.code === "invalid_value" ? issue.values : "options" in issue ? (issue.options ?? []) : [];
  const near = nearestName(
    value,
    values.filter((each): each is string => typeof each === "string"),
  );
  return near === undefined ? "" : `; did you mean '${near}'?`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    value =
      typeof value === "object" && value !== null && Object.hasOwn(value, part) ? Reflect.get(value, part) : undefined;
  }
  return value;
}

function sentenceOf(message: string): string {
  return message
    .replace(/^Invalid [a-z ]+[:.] (e)?/i, (_all, e: string | undefined) => e ?? "")
    .replace(/, received undefined$/, ", but it is missing")
    .replace(/^E/, "e");
}

/** `keyring.children[0].keyring`: the way the field would be written in JavaScript. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      const name = String(part);
      if (!/^[\w$-]+$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join("");
}
