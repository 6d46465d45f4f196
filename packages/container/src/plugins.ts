import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isError, S3EncryptionError } from "@s3ec/materials";
import type { ConfigurationProblem } from "./invalid-configuration.js";
import type { KeyringDescriptor } from "./keyring-descriptor.js";

/** What a plugin package exports: `export const keyrings = [keyringDescriptor({ ... })]`. */
export interface ConfigurationPlugin {
  /** Keyring types, each with a name that no other one has. */
  readonly keyrings: readonly KeyringDescriptor[];
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
    if (typeof loaded === "string") problems.push({ path: `plugins[${index}]`, expected: loaded });
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
  return `the plugin "${name}" must export "keyrings", an array of { type, schema, create }`;
}

function isPlugin(module: unknown): module is ConfigurationPlugin {
  if (typeof module !== "object" || module === null || !("keyrings" in module)) return false;
  return Array.isArray(module.keyrings) && module.keyrings.every(isDescriptor);
}

function isDescriptor(value: unknown): value is KeyringDescriptor {
  if (typeof value !== "object" || value === null) return false;
  const { type, schema, create } = value as Partial<Record<keyof KeyringDescriptor, unknown>>;
  return typeof type === "string" && type !== "" && typeof schema === "function" && typeof create === "function";
}

/** Checks plugins that were passed as objects. */
export function assertPlugins(plugins: readonly unknown[]): asserts plugins is readonly ConfigurationPlugin[] {
  if (!plugins.every(isPlugin)) {
    throw new S3EncryptionError(
      "invalid-argument",
      'Each plugin must have "keyrings", an array of { type, schema, create }.',
    );
  }
}
