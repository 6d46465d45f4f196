import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SourceOptions } from "@s3ec/key-source";
import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import { type Configuration, configurationSchema, PLUGINS_SCHEMA, S3_SCHEMA } from "./configuration.js";
import { readConfigurationFile } from "./configuration-file.js";
import { invalidConfiguration, problemsOfIssues, type RefusedSource } from "./invalid-configuration.js";
import { keySchemas } from "./key-source.js";
import { knownFields } from "./known-fields.js";
import { type KnownTypes, knownTypes } from "./known-types.js";
import { type NamedConfiguration, type SelectedConfiguration, selectConfiguration } from "./named-configurations.js";
import { nestingProblem } from "./nesting.js";
import { assertPlugins, type ConfigurationPlugin, loadPlugins } from "./plugins.js";
import { withVariables } from "./variables.js";

/** Beside `folder` and `env` of files and variables: `allowCommands`, `stdin`, `aws` and `onWarning` of `@s3ec/key-source`. */
export interface LoadOptions extends SourceOptions {
  /** More types of keyrings, managers and formats, beside those of the packages that the configuration names in `plugins`. Default: none. */
  readonly plugins?: readonly ConfigurationPlugin[];
  /** Which configuration of a file that holds several. Default: what its `use` says, or the only one. */
  readonly use?: string;
  /** Where files and plugins are looked up for a configuration passed as an object. Default: the working directory. */
  readonly folder?: string;
}

export const LOAD_OPTIONS: OptionNames<LoadOptions> = {
  plugins: true,
  use: true,
  folder: true,
  env: true,
  allowCommands: true,
  stdin: true,
  aws: true,
  onWarning: true,
};

/** A configuration that passed validation, its keys read. */
export interface LoadedConfiguration extends KnownTypes {
  /** The file's name as given; undefined for an object. */
  readonly name: string | undefined;
  /** Which of the file's configurations it is, where they have names. */
  readonly named: NamedConfiguration | undefined;
  /** Every field checked, and every key read. */
  readonly configuration: Configuration;
  /** An error about one object of it, told with the object's place in the file. */
  readonly blame: (part: object, expected: string, cause: unknown) => S3EncryptionError;
}

/**
 * Reads and validates a configuration: a `.json`, `.yaml` or `.yml` file, a `.js` or `.mjs` module with a default export, or an object.
 * @throws S3EncryptionError `invalid-configuration` with the path of each wrong field, never with a value of the file;
 * `invalid-argument` for unknown `options` and for `plugins` that are none
 */
export async function loadConfiguration(
  source: string | URL | object,
  options: LoadOptions = {},
): Promise<LoadedConfiguration> {
  if (typeof source !== "string" && (typeof source !== "object" || source === null)) {
    throw new S3EncryptionError(
      "invalid-argument",
      'Pass the configuration: a file\'s name, such as "s3ec.config.json", its URL, or an object.',
    );
  }
  assertKnownOptions(options, LOAD_OPTIONS, "loadConfiguration");
  const { plugins: passed = [], use, ...sources } = options;
  assertPlugins(passed);
  const file = typeof source === "string" ? source : isUrl(source) ? fileURLToPath(source) : undefined;
  const folder = file === undefined ? resolve(options.folder ?? ".") : dirname(resolve(file));
  const { input, refused, fileFields, named: ofSeveral } = await selected(file ?? source, file, use, sources.env);

  const named = PLUGINS_SCHEMA.safeParse(input);
  const { plugins, problems } = await loadPlugins(named.data?.plugins ?? [], folder);
  if (problems.length > 0) throw invalidConfiguration(refused, problems);
  const types = knownTypes([...passed, ...plugins]);
  const schema = configurationSchema(types, keySchemas({ ...sources, folder }));
  const parsed = await schema.safeParseAsync(input);
  if (!parsed.success) {
    const known = (path: readonly PropertyKey[]): string[] => [
      ...knownFields(schema, path),
      ...(path.length === 0 ? fileFields : []),
    ];
    throw invalidConfiguration(refused, problemsOfIssues(parsed.error.issues, input, known));
  }
  const paths = pathsOf(parsed.data);
  return {
    name: file,
    named: ofSeveral,
    configuration: parsed.data,
    ...types,
    blame: (part, expected, cause) => invalidConfiguration(refused, [{ path: paths.get(part) ?? [], expected }], cause),
  };
}

/** Which configuration, and where its variables are taken from. */
export type SelectOptions = Pick<LoadOptions, "use" | "env">;

/**
 * What a configuration says, unchecked and with its keys unread: for what must be known before it is loaded.
 * @throws S3EncryptionError `invalid-configuration` where the file cannot be read, or does not hold what is to be used
 */
export async function readConfigurationAsIs(source: string | object, options: SelectOptions = {}): Promise<unknown> {
  const name = typeof source === "string" ? source : undefined;
  return (await selected(source, name, options.use, options.env)).input;
}

/**
 * The `s3` settings of a configuration file, for reading what needs no key; the rest of the file is not looked at.
 * @throws S3EncryptionError `invalid-configuration` where the file cannot be read or these settings are wrong
 */
export async function loadS3Settings(
  file: string,
  options: SelectOptions = {},
): Promise<NonNullable<Configuration["s3"]>> {
  // Variables elsewhere may be those of keys, which are not needed.
  const { input, refused } = await selected(file, file, options.use, options.env, ["s3"]);
  const parsed = S3_SCHEMA.safeParse(input);
  if (!parsed.success) throw invalidConfiguration(refused, problemsOfIssues(parsed.error.issues, input));
  return parsed.data.s3 ?? {};
}

/** The configuration that is to be used, its variables replaced, and how its parts are told. */
async function selected(
  source: string | object,
  name: string | undefined,
  use: string | undefined,
  env: SelectOptions["env"] = process.env,
  fields?: readonly string[],
): Promise<Pick<SelectedConfiguration, "fileFields" | "named"> & { input: unknown; refused: RefusedSource }> {
  const { value, locate } =
    typeof source === "string" ? await readConfigurationFile(source) : { value: source, locate: () => undefined };
  const selection = nestingProblem(value) ?? selectConfiguration(value, use);
  if ("expected" in selection) {
    throw invalidConfiguration({ name, place: (path) => ({ path, at: locate(path) }) }, [selection]);
  }
  const refused: RefusedSource = {
    name,
    place: (path) => {
      const whole = selection.placeOf(path);
      return { path: whole, at: locate(whole) };
    },
  };
  const { value: input, problems } = withVariables(selection.value, env);
  const relevant = problems.filter(({ path: [field] }) => fields === undefined || fields.includes(String(field)));
  if (relevant.length > 0) throw invalidConfiguration(refused, relevant);
  const { fileFields, named } = selection;
  return { input, refused, fileFields, ...(named === undefined ? {} : { named }) };
}

/** Where each object of a configuration stands in it. */
function pathsOf(
  value: unknown,
  path: readonly PropertyKey[] = [],
  paths = new Map<object, readonly PropertyKey[]>(),
): ReadonlyMap<object, readonly PropertyKey[]> {
  const plain = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
  if (typeof value !== "object" || value === null || !plain) return paths;
  paths.set(value, path);
  for (const [key, inner] of Object.entries(value)) {
    pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key], paths);
  }
  return paths;
}

/** Of whatever realm; no configuration has these members. */
function isUrl(source: object): source is URL {
  return source !== null && "href" in source && "protocol" in source;
}
