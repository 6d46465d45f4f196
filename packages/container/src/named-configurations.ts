import { nearestName } from "@s3ec/envelope";
import type { ConfigurationProblem } from "./invalid-configuration.js";

type Path = readonly PropertyKey[];
type Fields = Readonly<Record<string, unknown>>;

/** One of the configurations of a file, with what it takes over from others. */
export interface SelectedConfiguration {
  readonly value: unknown;
  /** Where in the file a part of it stands. */
  readonly placeOf: (path: Path) => Path;
  /** What may stand beside its own fields. */
  readonly fileFields: readonly string[];
  /** Which it is, of a file that holds several by name. */
  readonly named?: NamedConfiguration;
}

/** One of several configurations of a file. */
export interface NamedConfiguration {
  /** As the file calls it. */
  readonly name: string;
  /** Names of those that were not selected. */
  readonly others: readonly string[];
}

/** Fields that are taken over one by one; a keyring, a manager or a list is taken over whole or not at all. */
const MERGED: readonly string[] = ["client", "s3", "kms"];

const FILE_FIELDS = ["$schema", "use", "configurations"];

/**
 * The configuration named `use` of a file that holds several, `{ use, configurations: { name: ... } }`, or the only one.
 * A problem where there is none.
 */
export function selectConfiguration(
  input: unknown,
  use: string | undefined,
): SelectedConfiguration | ConfigurationProblem {
  if (!isFields(input) || !Object.hasOwn(input, "configurations")) {
    if (use === undefined) return { value: input, placeOf: (path) => path, fileFields: FILE_FIELDS };
    const meant = Object.keys(isFields(input) ? input : {}).find((name) => nearestName(name, ["configurations"]));
    return meant === undefined
      ? { path: [], expected: 'one configuration is here, without a name: "use" has nothing to choose from' }
      : { path: [meant], expected: "no such field is known here; did you mean configurations?" };
  }
  const unknown = Object.keys(input).find((name) => !FILE_FIELDS.includes(name));
  if (unknown !== undefined) {
    const near = nearestName(unknown, FILE_FIELDS);
    const advice = near === undefined ? ": it belongs into one of them" : `; did you mean ${near}?`;
    return { path: [unknown], expected: `no such field is known beside "configurations"${advice}` };
  }
  const { configurations } = input;
  if (!isFields(configurations)) return { path: ["configurations"], expected: "expected an object of configurations" };
  const names = Object.keys(configurations);
  if (names.length === 0) {
    return {
      path: ["configurations"],
      expected: 'expected one configuration or more, as { "app": { "keyring": ... } }',
    };
  }
  const name = use ?? input.use ?? (names.length === 1 ? names[0] : undefined);
  if (typeof name !== "string") {
    return { path: ["use"], expected: `expected the name of a configuration, here or from the caller: ${list(names)}` };
  }
  const chain = ancestry(configurations, name, use === undefined ? ["use"] : []);
  if (!Array.isArray(chain)) return chain;
  return { ...merged(configurations, chain), named: { name, others: names.filter((other) => other !== name) } };
}

/** The configuration and those that it extends, itself first. */
function ancestry(configurations: Fields, first: string, said: Path): string[] | ConfigurationProblem {
  const names = Object.keys(configurations);
  const chain: string[] = [];
  for (let name: unknown = first; name !== undefined; ) {
    const asked: Path = chain.length === 0 ? said : ["configurations", chain.at(-1) ?? "", "extends"];
    if (typeof name !== "string") return { path: asked, expected: "expected the name of a configuration" };
    if (chain.includes(name)) return { path: asked, expected: "expected no configuration that extends this one" };
    const fields = Object.hasOwn(configurations, name) ? configurations[name] : undefined;
    if (fields === undefined) {
      const near = nearestName(name, names);
      const advice =
        near === undefined ? `known are ${list(names)}` : `did you mean "${near}"? Known are ${list(names)}`;
      const what =
        asked.length === 0
          ? "no configuration here has the name that the caller asks for (use, or --use)"
          : "no configuration here has this name";
      return { path: asked, expected: `${what}: ${advice}` };
    }
    if (!isFields(fields)) return { path: ["configurations", name], expected: "expected an object" };
    chain.push(name);
    name = fields.extends;
  }
  return chain;
}

function merged(configurations: Fields, chain: readonly string[]): SelectedConfiguration {
  const parts = chain.map((name) => configurations[name] as Fields);
  const value = new Map<string, unknown>();
  for (const { extends: _, ...fields } of parts.toReversed()) {
    for (const [name, field] of Object.entries(fields)) {
      const inherited = value.get(name);
      const isMerged = MERGED.includes(name) && isFields(field) && isFields(inherited);
      value.set(name, isMerged ? { ...inherited, ...field } : field);
    }
  }
  const placeOf = (path: Path): Path => {
    const [field, option] = path;
    const owner = parts.findIndex((part) => {
      const own = field !== undefined && Object.hasOwn(part, field) ? part[String(field)] : undefined;
      if (own === undefined) return false;
      const isMerged = MERGED.includes(String(field)) && option !== undefined && isFields(own);
      return !isMerged || Object.hasOwn(own, option);
    });
    return ["configurations", chain[Math.max(owner, 0)] ?? "", ...path];
  };
  return { value: Object.fromEntries(value), placeOf, fileFields: ["extends"] };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
