import { type MaterialsManager, S3EncryptionError } from "@s3ec/materials";
import { z } from "zod";
import { descriptorsByType } from "./descriptors-by-type.js";
import type { SchemaParts } from "./keyring-descriptor.js";
import type { ManagerConfiguration, ManagerDescriptor, ManagerSurroundings } from "./manager-descriptor.js";
import { BUILT_IN_MANAGERS } from "./managers.js";

/** The materials manager types that a configuration may name: the built-in ones and those of plugins. */
export class ManagerRegistry {
  readonly #descriptors: ReadonlyMap<string, ManagerDescriptor>;

  /** @throws S3EncryptionError `invalid-configuration` where two types have one name */
  constructor(plugged: readonly ManagerDescriptor[]) {
    this.#descriptors = descriptorsByType("manager", [...BUILT_IN_MANAGERS, ...plugged]);
  }

  /**
   * The schema of any manager, told apart by `type`.
   * @throws S3EncryptionError `invalid-configuration` never: there are built-in types
   */
  schema(parts: SchemaParts): z.ZodType<ManagerConfiguration> {
    const manager: z.ZodType<ManagerConfiguration> = z.lazy(() => union);
    const [first, ...rest] = [...this.#descriptors.values()].map((descriptor) =>
      descriptor
        .schema({ ...parts, manager })
        .safeExtend({ type: z.literal(descriptor.type) })
        .strict(),
    );
    if (first === undefined) throw new S3EncryptionError("invalid-configuration", "There is no manager type.");
    const union = z
      .discriminatedUnion("type", [first, ...rest])
      .describe(
        "How materials are managed. Default: the keyring is asked anew for each object.",
      ) as unknown as z.ZodType<ManagerConfiguration>;
    return manager;
  }

  /**
   * Makes the manager of a validated part.
   * @throws S3EncryptionError `invalid-configuration` for a type that is not known, and what the descriptor throws
   */
  async create(configuration: ManagerConfiguration, surroundings: ManagerSurroundings): Promise<MaterialsManager> {
    const { type: _type, ...fields } = configuration;
    return await this.#descriptor(configuration).create(fields, surroundings);
  }

  /**
   * In words, what a manager and those inside it add to reading and writing.
   * @throws S3EncryptionError `invalid-configuration` for a type that is not known
   */
  explain(configuration: ManagerConfiguration = { type: "default" }): readonly string[] {
    const { explain } = this.#descriptor(configuration);
    if (explain !== undefined) return explain(configuration, (inner) => this.explain(inner));
    return [`A materials manager of the type ${configuration.type} decides about the data keys.`];
  }

  #descriptor({ type }: ManagerConfiguration): ManagerDescriptor {
    const descriptor = this.#descriptors.get(type);
    if (descriptor !== undefined) return descriptor;
    throw new S3EncryptionError("invalid-configuration", `There is no materials manager type "${type}".`);
  }
}
