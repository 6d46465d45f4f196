import { readFile } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { SourceOptions } from "@s3ec/key-source";
import { assertKnownOptions, isError, type OptionNames, type S3EncryptionError } from "@s3ec/materials";
import { BUILT_IN_KEYRINGS } from "./built-in-keyrings.js";
import { type Configuration, configurationSchema, PLUGINS_SCHEMA, S3_SCHEMA } from "./configuration.js";
import { FormatRegistry } from "./formats.js";
import { formatPath, invalidConfiguration, problemsOfIssues } from "./invalid-configuration.js";
import { keySchemas } from "./key-source.js";
import { KeyringRegistry } from "./keyring-registry.js";
import { assertPlugins, type ConfigurationPlugin, loadPlugins } from "./plugins.js";

/** Beside `folder` and `env` of files and variables: `allowCommands`, `stdin`, `aws` and `onWarning` of `@s3ec/key-source`. */
export interface LoadOptions extends SourceOptions {
  /** More types of keyrings and formats, beside those of the packages that the configuration names in `plugins`. Default: none. */
  readonly plugins?: readonly ConfigurationPlugin[];
  /** Where files and plugins are looked up for a configuration passed as an object. Default: the working directory. */
  readonly folder?: string;
}

export const LOAD_OPTIONS: OptionNames<LoadOptions> = {
  plugins: true,
  folder: true,
  env: true,
  allowCommands: true,
  stdin: true,
  aws: true,
  onWarning: true,
};

/** A configuration that passed validation, its keys read. */
export interface LoadedConfiguration {
  /** For messages: the file's name as given, or "The configuration". */
  readonly name: string;
  /** Every field checked, and every key read. */
  readonly configuration: Configuration;
  /** The keyring types that it may name. */
  readonly registry: KeyringRegistry;
  /** The format types that it may name. */
  readonly formats: FormatRegistry;
  /** An error about one object of it, told with the object's place in the file. */
  readonly blame: (part: object, expected: string, cause: unknown) => S3EncryptionError;
}

/**
 * Reads and validates a configuration: a `.json` file, a `.js` or `.mjs` module with a default export, or an object.
 * @throws S3EncryptionError `invalid-configuration` with the path of each wrong field, never with a value of the file;
 * `invalid-argument` for unknown `options` and for `plugins` that are none
 */
export async function loadConfiguration(
  source: string | URL | object,
  options: LoadOptions = {},
): Promise<LoadedConfiguration> {
  assertKnownOptions(options, LOAD_OPTIONS, "loadConfiguration");
  const { plugins: passed = [], ...sources } = options;
  assertPlugins(passed);
  const file = typeof source === "string" ? source : isUrl(source) ? fileURLToPath(source) : undefined;
  const name = file ?? "The configuration";
  const folder = file === undefined ? resolve(options.folder ?? ".") : dirname(resolve(file));
  const input = file === undefined ? source : await readConfiguration(file);

  const named = PLUGINS_SCHEMA.safeParse(input);
  const { plugins, problems } = await loadPlugins(named.data?.plugins ?? [], folder);
  if (problems.length > 0) throw invalidConfiguration(name, problems);
  const descriptors = [...BUILT_IN_KEYRINGS, ...[...passed, ...plugins].flatMap((plugin) => plugin.keyrings ?? [])];
  const registry = new KeyringRegistry(descriptors);
  const formats = new FormatRegistry([...passed, ...plugins].flatMap((plugin) => plugin.formats ?? []));
  const parsed = await configurationSchema(registry, formats, keySchemas({ ...sources, folder })).safeParseAsync(input);
  if (!parsed.success) throw invalidConfiguration(name, problemsOfIssues(parsed.error.issues));
  const paths = pathsOf(parsed.data);
  return {
    name,
    configuration: parsed.data,
    registry,
    formats,
    blame: (part, expected, cause) => invalidConfiguration(name, [{ path: paths.get(part) ?? "", expected }], cause),
  };
}

/**
 * What a configuration says, unchecked and with its keys unread: for what must be known before it is loaded.
 * @throws S3EncryptionError `invalid-configuration` where the file cannot be read
 */
export async function readConfigurationAsIs(source: string | object): Promise<unknown> {
  return typeof source === "string" ? readConfiguration(source) : source;
}

/**
 * The `s3` settings of a configuration file, for reading what needs no key; the rest of the file is not looked at.
 * @throws S3EncryptionError `invalid-configuration` where the file cannot be read or these settings are wrong
 */
export async function loadS3Settings(file: string): Promise<NonNullable<Configuration["s3"]>> {
  const parsed = S3_SCHEMA.safeParse(await readConfiguration(file));
  if (!parsed.success) throw invalidConfiguration(file, problemsOfIssues(parsed.error.issues));
  return parsed.data.s3 ?? {};
}

async function readConfiguration(file: string): Promise<unknown> {
  return extname(file) === ".json" ? readJson(file) : importModule(file);
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const missing = isError(error) && error.code === "ENOENT";
    throw invalidConfiguration(file, [
      { path: "", expected: `the file ${missing ? "does not exist" : "cannot be read"}` },
    ]);
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    // The parser's own message quotes what is around the mistake, which may be a key.
    const position = /at position (\d+)/.exec(isError(error) ? error.message : "")?.[1];
    const line = position === undefined ? "" : ` (the mistake is in line ${lineAt(text, Number(position))})`;
    throw invalidConfiguration(file, [{ path: "", expected: `the file must hold JSON${line}` }]);
  }
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}

async function importModule(file: string): Promise<unknown> {
  try {
    const module: { default?: unknown } = await import(pathToFileURL(resolve(file)).href);
    return module.default;
  } catch {
    throw invalidConfiguration(file, [
      { path: "", expected: "a .json file, or a module that loads and has a default export" },
    ]);
  }
}

/** Where each object of a configuration stands in it. */
function pathsOf(
  value: unknown,
  path: readonly PropertyKey[] = [],
  paths = new Map<object, string>(),
): ReadonlyMap<object, string> {
  const plain = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
  if (typeof value !== "object" || value === null || !plain) return paths;
  paths.set(value, formatPath(path));
  for (const [key, inner] of Object.entries(value)) {
    pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key], paths);
  }
  return paths;
}

/** Of whatever realm; no configuration has these members. */
function isUrl(source: object): source is URL {
  return source !== null && "href" in source && "protocol" in source;
}
