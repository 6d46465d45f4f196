import type { Loss } from "@s3ec/client";
import {
  assertKnownOptions,
  callersStringMap,
  type OptionNames,
  S3EncryptionError,
  type StringMap,
} from "@s3ec/materials";

export type Environment = Readonly<Record<string, string | undefined>>;

const OPERATIONS = ["audit", "verify", "rewrap", "migrate"] as const;
type Operation = (typeof OPERATIONS)[number];

/** What is done to every object of a job. */
export interface Settings {
  readonly operation: Operation;
  /** Which configuration of `S3EC_CONFIG`. */
  readonly use: string | undefined;
  /** Which configuration of `S3EC_TO_CONFIG`, or where there is none, of `S3EC_CONFIG`. */
  readonly toUse: string | undefined;
  /** Which configuration of `S3EC_KEY_OF_CONFIG`. */
  readonly keyOfUse: string | undefined;
  readonly askKms: boolean;
  /** Whether the job's list holds the files beside its objects, too, as an inventory does: each is then found by itself. */
  readonly filesListed: boolean;
  readonly suffix: string | undefined;
  readonly recipient: string | undefined;
  readonly context: StringMap | undefined;
  readonly toContext: StringMap | undefined;
  readonly sameOwner: boolean;
  readonly verify: "envelope" | "content" | "none";
  readonly enforceRotation: boolean;
  readonly drop: readonly string[];
  readonly allowLoss: readonly Loss[];
  /** What was written at this time or later is left as it is. */
  readonly before: Date | undefined;
  readonly checksTarget: boolean | undefined;
  readonly settleTime: number | undefined;
}

const ARGUMENTS: OptionNames<Settings> = {
  operation: true,
  use: true,
  toUse: true,
  keyOfUse: true,
  askKms: true,
  filesListed: true,
  suffix: true,
  recipient: true,
  context: true,
  toContext: true,
  sameOwner: true,
  verify: true,
  enforceRotation: true,
  drop: true,
  allowLoss: true,
  before: true,
  checksTarget: true,
  settleTime: true,
};

/** The variable that says the same as a user argument: `S3EC_TO_USE` for `toUse`. */
function variableOf(name: string): string {
  return `S3EC_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * What the function's environment and a job's user arguments say. Whoever may create jobs is not always who may change the
 * function: what the environment says, no job says otherwise.
 *
 * @throws S3EncryptionError `invalid-argument`
 */
export function settingsOf(env: Environment, userArguments: Readonly<Record<string, string>>): Settings {
  assertKnownOptions(userArguments, ARGUMENTS, "the job's UserArguments");
  const said = (name: keyof Settings): string | undefined => {
    const [own, asked] = [env[variableOf(name)], userArguments[name]];
    const text = own === undefined || own === "" ? asked : own;
    if (asked !== undefined && asked !== text) {
      throw invalid(
        `The function's ${variableOf(name)} is ${JSON.stringify(text)}, so that no job's user argument ${name} can be ${JSON.stringify(asked)}.`,
      );
    }
    return text === "" ? undefined : text;
  };
  const truth = (name: keyof Settings, otherwise: boolean): boolean => {
    const text = said(name);
    if (text === undefined) return otherwise;
    if (text === "true" || text === "false") return text === "true";
    throw invalid(`${name} must be true or false.`);
  };
  const one = <Name extends string>(name: keyof Settings, names: readonly Name[], otherwise?: Name): Name => {
    const text = said(name) ?? otherwise;
    const found = names.find((each) => each === text);
    if (found !== undefined) return found;
    throw invalid(
      `${name} must be one of ${names.join(", ")}: set ${variableOf(name)}, or the job's user argument ${name}.`,
    );
  };
  const list = (name: keyof Settings): string[] =>
    (said(name) ?? "")
      .split(",")
      .map((each) => each.trim())
      .filter((each) => each !== "");
  const map = (name: keyof Settings): StringMap | undefined => {
    const text = said(name);
    return text === undefined ? undefined : callersStringMap(jsonOf(text, name), name);
  };
  return {
    operation: one("operation", OPERATIONS),
    use: said("use"),
    toUse: said("toUse"),
    keyOfUse: said("keyOfUse"),
    askKms: truth("askKms", false),
    filesListed: truth("filesListed", false),
    suffix: said("suffix"),
    recipient: said("recipient"),
    context: map("context"),
    toContext: map("toContext"),
    sameOwner: truth("sameOwner", false),
    verify: one("verify", ["envelope", "content", "none"], "envelope"),
    enforceRotation: truth("enforceRotation", true),
    drop: list("drop"),
    // Whatever is no loss is refused by its name.
    allowLoss: list("allowLoss") as Loss[],
    before: dateOf(said("before")),
    checksTarget: said("checksTarget") === undefined ? undefined : truth("checksTarget", false),
    settleTime: numberOf(said("settleTime"), "settleTime"),
  };
}

/** How much one invocation takes on. */
export interface Pace {
  /** Tasks of one event that are done at once. */
  readonly concurrency: number;
  /** Bytes a second that the function is sure to read or write through itself. */
  readonly readRate: number;
  /** Bytes a second that S3 is sure to copy. */
  readonly copyRate: number;
}

const MEGABYTE = 1_000_000;

/** Throws `invalid-argument`. */
export function paceOf(env: Environment): Pace {
  const number = (name: keyof Pace, otherwise: number): number =>
    numberOf(env[variableOf(name)], variableOf(name)) || otherwise;
  return {
    concurrency: number("concurrency", 16),
    readRate: number("readRate", 40 * MEGABYTE),
    copyRate: number("copyRate", 100 * MEGABYTE),
  };
}

function jsonOf(text: string, name: string): Record<string, string> {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(`${name} must be JSON, such as {"tenant":"a"}.`);
  }
}

function dateOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw invalid("before must be a date in UTC, such as 2026-11-29 or 2026-11-29T12:00:00Z.");
}

function numberOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw invalid(`${name} must be a number.`);
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
