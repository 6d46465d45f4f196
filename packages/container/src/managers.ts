import {
  CachingMaterialsManager,
  DefaultMaterialsManager,
  type Keyring,
  type MaterialsManager,
  RequiredContextManager,
} from "@s3ec/materials";
import { z } from "zod";

/** Which materials manager, around which other one; the innermost is the default one. */
export type ManagerConfiguration =
  | { readonly type: "default" }
  | {
      readonly type: "caching";
      /** Milliseconds that a data key is used for. */
      readonly maxAgeMs: number;
      /** Objects written under one data key. Default 1,000. */
      readonly maxMessages?: number;
      /** Plaintext bytes written under one data key. Default: no bound. */
      readonly maxBytes?: number;
      /** Data keys held for writing, and as many for reading. Default 100. */
      readonly maxEntries?: number;
      /** Where materials come from that are not cached. Default: the default one. */
      readonly manager?: ManagerConfiguration;
    }
  | {
      readonly type: "required-context";
      /** Names that every encryption context must have; one or more. */
      readonly requiredContextKeys: readonly string[];
      /** What gives the materials once the context was checked. Default: the default one. */
      readonly manager?: ManagerConfiguration;
    };

const INNER: z.ZodType<ManagerConfiguration> = z.lazy(() => MANAGER);

export const MANAGER: z.ZodType<ManagerConfiguration> = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("default") }),
    z.strictObject({
      type: z.literal("caching"),
      maxAgeMs: z.number().positive().describe("Milliseconds that a data key is used for."),
      maxMessages: z.int().positive().describe("Objects written under one data key. Default 1000.").exactOptional(),
      maxBytes: z.int().positive().describe("Plaintext bytes written under one data key.").exactOptional(),
      maxEntries: z.int().positive().describe("Data keys held. Default 100.").exactOptional(),
      manager: INNER.exactOptional(),
    }),
    z.strictObject({
      type: z.literal("required-context"),
      requiredContextKeys: z
        .array(z.string().min(1))
        .min(1)
        .describe("Names that every encryption context must have, on writing and on reading."),
      manager: INNER.exactOptional(),
    }),
  ])
  .describe("How materials are managed. Default: the keyring is asked anew for each object.");

/** The manager and those around it; what holds keys is given to `onDispose`. */
export function createManager(
  configuration: ManagerConfiguration | undefined,
  keyring: Keyring,
  onDispose: (release: () => void) => void,
): MaterialsManager {
  if (configuration === undefined || configuration.type === "default") return new DefaultMaterialsManager(keyring);
  const manager = createManager(configuration.manager, keyring, onDispose);
  if (configuration.type === "required-context") {
    return new RequiredContextManager({ manager, requiredContextKeys: configuration.requiredContextKeys });
  }
  const { type: _type, ...options } = configuration;
  const caching = new CachingMaterialsManager({ ...options, manager });
  onDispose(() => caching[Symbol.dispose]());
  return caching;
}

/** In words, what a manager adds to reading and writing. */
export function explainManager(configuration: ManagerConfiguration | undefined): string[] {
  if (configuration === undefined || configuration.type === "default") return [];
  const own =
    configuration.type === "caching"
      ? `One data key may serve up to ${configuration.maxMessages ?? 1000} objects, for ${configuration.maxAgeMs} ms; the key store is not asked for each.`
      : `Every encryption context must name ${configuration.requiredContextKeys.join(", ")}, on writing and on reading.`;
  return [own, ...explainManager(configuration.manager)];
}
