import { CommanderError } from "commander";
import type { ErrorReport } from "../error-report.js";
import { withoutSecrets } from "../secret-values.js";
import { sentence } from "../sentence.js";

/** Whether a command line asks for JSON, however wrong the rest of it is. */
export function isJsonAsked(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? args.length : end).includes("--json");
}

/** Why a command failed as a whole; undefined where it did not, or has told of each. */
export function errorLine(error: unknown, report: ErrorReport, left?: string): object | undefined {
  const { exitCode, code } = report;
  const problem = report.message ?? usageOf(error);
  if (problem === undefined || code === undefined) return undefined;
  return { error: { code, problem, exitCode, ...(left === undefined ? {} : { left }) } };
}

/** What Commander has told already. */
function usageOf(error: unknown): string | undefined {
  if (!(error instanceof CommanderError) || error.exitCode === 0) return undefined;
  return sentence(
    withoutSecrets(error.message)
      .replace(/^error: /, "")
      .replaceAll("\n", " "),
  );
}
