import type { Keyring, MaterialsManager } from "@s3ec/materials";
import type { z } from "zod";
import type { KeyringSurroundings, SchemaParts } from "./keyring-descriptor.js";

/** A manager's part of a validated configuration: its `type`, and the fields that its descriptor's schema names. */
export type ManagerConfiguration = Readonly<Record<string, unknown>> & {
  /** Name of a known manager type, such as `caching`. */
  readonly type: string;
};

/** What a descriptor builds its schema from. */
export interface ManagerSchemaParts extends SchemaParts {
  /** Any manager of any known type, for one that stands around another. */
  readonly manager: z.ZodType<ManagerConfiguration>;
}

/** What a descriptor builds its manager from, beside its own fields. */
export interface ManagerSurroundings extends Pick<KeyringSurroundings, "createKeyring" | "onDispose"> {
  /** The configuration's keyring, or that of the part which this manager serves. */
  readonly keyring: Keyring;
  /**
   * Builds a manager that the configuration holds inside this one; without one, that of the type `default`. It stands around
   * `keyring`; default: the configuration's.
   */
  createManager(configuration?: ManagerConfiguration, keyring?: Keyring): Promise<MaterialsManager>;
}

/**
 * One type of materials manager that a configuration can name. The schema is a strict object of the fields beside `type`;
 * nothing in it may keep a key in another form than a `KeyObject`.
 */
export interface ManagerDescriptor<Schema extends z.ZodObject = z.ZodObject> {
  /** What a configuration's `type` says; unique among built-in and plugged-in types. */
  readonly type: string;
  /** The schema of the fields, built from those that hold keys, keyrings and managers. */
  schema(parts: ManagerSchemaParts): Schema;
  /**
   * The manager of validated fields; it calls no key store before it is asked for materials, since `s3ec config check`
   * makes it, too.
   * @throws Error of any kind: `createFromConfig` tells it with the manager's place in the file, as `invalid-configuration`
   */
  create(
    configuration: z.output<Schema>,
    surroundings: ManagerSurroundings,
  ): MaterialsManager | Promise<MaterialsManager>;
  /**
   * In sentences, what it adds to writing and reading, what inner managers add by `explainManager`. Default: one sentence
   * with its type.
   */
  explain?(
    configuration: z.output<Schema>,
    explainManager: (configuration?: ManagerConfiguration) => readonly string[],
  ): readonly string[];
}

/** Keeps the schema's type for `create` and `explain`, then forgets it: `export const managers = [managerDescriptor({...})]`. */
export function managerDescriptor<Schema extends z.ZodObject>(
  descriptor: ManagerDescriptor<Schema>,
): ManagerDescriptor {
  return descriptor;
}
