import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isError, S3EncryptionError } from "@s3ec/materials";
import type { FormatDescriptor } from "./formats.js";
import type { ConfigurationProblem } from "./invalid-configuration.js";
import type { KeyringDescriptor } from "./keyring-descriptor.js";
import type { ManagerDescriptor } from "./manager-descriptor.js";

/**
 * What a plugin package exports, one or more of them: `export const keyrings = [keyringDescriptor({ ... })]`,
 * `export const managers = [managerDescriptor({ ... })]`, `export const formats = [formatDescriptor({ ... })]`.
 */
export interface ConfigurationPlugin {
  /** Keyring types, each with a name that no other one has. Default: none. */
  readonly keyrings?: readonly KeyringDescriptor[];
  /** Materials manager types, each with a name that no other one has. Default: none. */
  readonly managers?: readonly ManagerDescriptor[];
  /** Format types, each with a name that no other one has. Default: none. */
  readonly formats?: readonly FormatDescriptor[];
}

/** Loads plugins by name, from where the configuration file lies; what fails is told with its place in `plugins`. */
export async function loadPlugins(
  names: readonly string[],
  folder: string,
): Promise<{ plugins: readonly ConfigurationPlugin[]; problems: readonly ConfigurationProblem[] }> {
  const plugins: ConfigurationPlugin[] = [];
  const problems: ConfigurationProblem[] = [];
  for (const [index, name] of names.entries()) {
    const loaded = await loadPlugin(name, folder);
    if (typeof loaded === "string") problems.push({ path: ["plugins", index], expected: loaded });
    else plugins.push(loaded);
  }
  return { plugins, problems };
}

async function loadPlugin(name: string, folder: string): Promise<ConfigurationPlugin | string> {
  let path: string;
  try {
    path = createRequire(join(folder, "s3ec.config.json")).resolve(name);
  } catch {
    return `the package or file "${name}" is not found from the configuration's folder (install it there; its exports need a "default" condition)`;
  }
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    if (isPlugin(module)) return module;
  } catch (error) {
    return `the plugin "${name}" failed to load (${isError(error) ? error.name : "it threw"})`;
  }
  return `the plugin "${name}" must export "keyrings", "managers" or "formats", arrays of { type, schema, create }`;
}

function isPlugin(module: unknown): module is ConfigurationPlugin {
  if (typeof module !== "object" || module === null) return false;
  const { keyrings, managers, formats } = module as Partial<Record<keyof ConfigurationPlugin, unknown>>;
  if (keyrings === undefined && managers === undefined && formats === undefined) return false;
  return isListOf(keyrings, isFunction) && isListOf(managers, isFunction) && isListOf(formats, isObject);
}

function isListOf(value: unknown, isSchema: (schema: unknown) => boolean): boolean {
  return value === undefined || (Array.isArray(value) && value.every((entry) => isDescriptor(entry, isSchema)));
}

function isDescriptor(value: unknown, isSchema: (schema: unknown) => boolean): boolean {
  if (!isObject(value)) return false;
  const { type, schema, create } = value as Partial<Record<keyof KeyringDescriptor, unknown>>;
  return typeof type === "string" && type !== "" && isSchema(schema) && typeof create === "function";
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** Checks plugins that were passed as objects. */
export function assertPlugins(plugins: readonly unknown[]): asserts plugins is readonly ConfigurationPlugin[] {
  if (!plugins.every(isPlugin)) {
    throw new S3EncryptionError(
      "invalid-argument",
      'Each plugin must have "keyrings", "managers" or "formats", arrays of { type, schema, create }.',
    );
  }
}
