import {
  ByObjectManager,
  CachingMaterialsManager,
  DefaultMaterialsManager,
  RequiredContextManager,
} from "@s3ec/materials";
import { z } from "zod";
import { BY_OBJECT, objectsOf } from "./configured-keyrings.js";
import { type ManagerDescriptor, managerDescriptor } from "./manager-descriptor.js";

const DEFAULT = managerDescriptor({
  type: "default",
  schema: () => z.strictObject({}),
  create: (_, { keyring }) => new DefaultMaterialsManager(keyring),
  explain: () => [],
});

const CACHING = managerDescriptor({
  type: "caching",
  schema: ({ manager }) =>
    z.strictObject({
      maxAgeMs: z.number().positive().describe("Milliseconds that a data key is used for."),
      maxMessages: z.int().positive().describe("Objects written under one data key. Default 1000.").exactOptional(),
      maxBytes: z.int().positive().describe("Plaintext bytes written under one data key.").exactOptional(),
      maxEntries: z.int().positive().describe("Data keys held. Default 100.").exactOptional(),
      manager: manager.exactOptional(),
    }),
  create: async ({ manager, ...options }, { createManager, onDispose }) => {
    const caching = new CachingMaterialsManager({ ...options, manager: await createManager(manager) });
    onDispose(() => caching[Symbol.dispose]());
    return caching;
  },
  explain: ({ maxMessages = 1000, maxAgeMs, manager }, explainManager) => [
    `One data key may serve up to ${maxMessages} objects, for ${maxAgeMs} ms; the key store is not asked for each.`,
    ...explainManager(manager),
  ],
});

const REQUIRED_CONTEXT = managerDescriptor({
  type: "required-context",
  schema: ({ manager }) =>
    z.strictObject({
      requiredContextKeys: z
        .array(z.string().min(1))
        .min(1)
        .describe("Names that every encryption context must have, on writing and on reading."),
      manager: manager.exactOptional(),
    }),
  create: async ({ manager, requiredContextKeys }, { createManager }) =>
    new RequiredContextManager({ requiredContextKeys, manager: await createManager(manager) }),
  explain: ({ requiredContextKeys, manager }, explainManager) => [
    `Every encryption context must name ${requiredContextKeys.join(", ")}, on writing and on reading.`,
    ...explainManager(manager),
  ],
});

const BY_OBJECT_MANAGER = managerDescriptor({
  type: BY_OBJECT,
  schema: ({ keyring, manager }) =>
    z.strictObject({
      rules: z
        .array(
          z.strictObject({
            bucket: z.string().min(1).describe("The bucket's name, as callers write it. Default: any.").exactOptional(),
            prefix: z.string().describe("What the object's key begins with. Default: anything.").exactOptional(),
            keyring: keyring.describe("Wraps these objects' data keys. Default: the file's keyring.").exactOptional(),
            manager: manager.describe("Stands around that keyring. Default: the default one.").exactOptional(),
          }),
        )
        .min(1)
        .describe("Those of the object's bucket before those of any; of them, the longest prefix."),
    }),
  create: async ({ rules }, { keyring, createKeyring, createManager }) =>
    new ByObjectManager({
      rules: await Promise.all(
        rules.map(async ({ keyring: own, manager, ...objects }) => ({
          ...objects,
          manager: await createManager(manager, own === undefined ? keyring : await createKeyring(own)),
        })),
      ),
    }),
  explain: ({ rules }, explainManager) => [
    "Objects that no rule names are refused. Rules go by names, which nothing binds: an object that is copied elsewhere is served by the rule there.",
    ...rules.flatMap((rule) =>
      explainManager(rule.manager).map((sentence) => `For objects ${objectsOf(rule)}: ${sentence}`),
    ),
  ],
});

/** The manager types that every configuration may name. */
export const BUILT_IN_MANAGERS: readonly ManagerDescriptor[] = [DEFAULT, CACHING, REQUIRED_CONTEXT, BY_OBJECT_MANAGER];
