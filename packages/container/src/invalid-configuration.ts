import { S3EncryptionError } from "@s3ec/materials";
import type { z } from "zod";

/** One wrong field: where it is, and what was expected there. Never holds a value of the file. */
export interface ConfigurationProblem {
  /** Such as `keyring.children[0].instructionFileSuffix`; empty for the configuration as a whole. */
  readonly path: string;
  readonly expected: string;
}

/**
 * The refusal of a configuration, with one line for each wrong field; `source` is the file's name. A key store that is
 * away or refuses (`key-unavailable`) makes no configuration wrong: it may serve the next time.
 */
export function invalidConfiguration(
  source: string,
  problems: readonly ConfigurationProblem[],
  cause?: unknown,
): S3EncryptionError {
  const lines = problems.map(({ path, expected }) => `  ${path === "" ? "" : `${path}: `}${expected}`);
  const isAway = cause instanceof S3EncryptionError && cause.code === "key-unavailable";
  const head = isAway ? "names a key that cannot be used now" : "is not a valid configuration";
  const message = [`${source} ${head}:`, ...lines].join("\n");
  return new S3EncryptionError(
    isAway ? cause.code : "invalid-configuration",
    message,
    cause === undefined ? undefined : { cause },
  );
}

/** What zod found, in our words: an issue's own text says what was expected, and never quotes the value it found. */
export function problemsOfIssues(issues: readonly z.core.$ZodIssue[]): ConfigurationProblem[] {
  return issues.flatMap((issue): ConfigurationProblem[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: formatPath([...issue.path, key]),
        expected: "no such field is known here",
      }));
    }
    return [{ path: formatPath(issue.path), expected: sentenceOf(issue.message) }];
  });
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
