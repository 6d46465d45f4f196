import { type Keyring, S3EncryptionError } from "@s3ec/materials";
import { z } from "zod";
import { descriptorsByType } from "./descriptors-by-type.js";
import type { KeySchemas } from "./key-source.js";
import type {
  KeyringConfiguration,
  KeyringDescriptor,
  KeyringRole,
  KeyringSurroundings,
  WrappingKeyExplanation,
} from "./keyring-descriptor.js";

/** The keyring types that a configuration may name: the built-in ones and those of plugins. */
export class KeyringRegistry {
  readonly #descriptors: ReadonlyMap<string, KeyringDescriptor>;

  /** @throws S3EncryptionError `invalid-configuration` where two types have one name */
  constructor(descriptors: readonly KeyringDescriptor[]) {
    this.#descriptors = descriptorsByType("keyring", descriptors);
  }

  /**
   * The schema of any keyring, told apart by `type`.
   * @throws S3EncryptionError `invalid-configuration` where there is no type
   */
  schema(keys: KeySchemas): z.ZodType<KeyringConfiguration> {
    const keyring: z.ZodType<KeyringConfiguration> = z.lazy(() => union);
    const [first, ...rest] = [...this.#descriptors.values()].map((descriptor) =>
      descriptor
        .schema({ ...keys, keyring })
        .safeExtend({ type: z.literal(descriptor.type) })
        .strict(),
    );
    if (first === undefined) throw new S3EncryptionError("invalid-configuration", "There is no keyring type.");
    const union = z.discriminatedUnion("type", [first, ...rest]);
    return keyring;
  }

  /**
   * Makes the keyring of a validated part.
   * @throws S3EncryptionError `invalid-configuration` for a type that is not known, and what the descriptor throws
   */
  async create(configuration: KeyringConfiguration, surroundings: KeyringSurroundings): Promise<Keyring> {
    const descriptor = this.#descriptor(configuration);
    // The type has told its descriptor; a keyring refuses options that it does not know.
    const { type: _type, ...fields } = configuration;
    return descriptor.create(fields, surroundings);
  }

  /**
   * Whether making it would ask its key store.
   * @throws S3EncryptionError `invalid-configuration` for a type that is not known
   */
  asksKeyStore(configuration: KeyringConfiguration): boolean {
    return this.#descriptor(configuration).asksKeyStore === true;
  }

  /**
   * The wrapping keys of a validated part in words, those of inner keyrings included.
   * @throws S3EncryptionError `invalid-configuration` for a type that is not known
   */
  explain(configuration: KeyringConfiguration, role: KeyringRole = "generator"): readonly WrappingKeyExplanation[] {
    const descriptor = this.#descriptor(configuration);
    return (
      descriptor.explain?.(configuration, role, (inner, innerRole) => this.explain(inner, innerRole)) ?? [
        {
          key: `a key of the keyring type ${configuration.type}`,
          readers: "whoever that key store lets unwrap it",
          canRead: true,
          writing: "whatever that key store asks for",
        },
      ]
    );
  }

  #descriptor({ type }: KeyringConfiguration): KeyringDescriptor {
    const descriptor = typeof type === "string" ? this.#descriptors.get(type) : undefined;
    if (descriptor === undefined) {
      throw new S3EncryptionError("invalid-configuration", "A keyring needs the name of a known keyring type.");
    }
    return descriptor;
  }
}
