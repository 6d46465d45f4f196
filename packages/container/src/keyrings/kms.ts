import { z } from "zod";
import { type KeyringDescriptor, keyringDescriptor } from "../keyring-descriptor.js";

const REGION = z.string().min(1).describe("Default: of the key ARN, then of the configuration's kms settings.");
const GRANT_TOKENS = z.array(z.string().min(1));

export const kms: KeyringDescriptor = keyringDescriptor({
  type: "kms",
  schema: () =>
    z.strictObject({
      keyId: z.string().min(1).describe("Key id, key ARN, alias (alias/app) or alias ARN."),
      formerKeyIds: z
        .array(z.string().min(1))
        .describe("Former keys, to read with: those that an alias stood for before it was pointed to a new key.")
        .exactOptional(),
      region: REGION.exactOptional(),
      grantTokens: GRANT_TOKENS.exactOptional(),
      acceptUnstoredContext: z
        .boolean()
        .describe("Reads objects of early PHP clients, which bound a context without storing it.")
        .exactOptional(),
    }),
  create: async ({ region, ...options }, { kmsClient }) => {
    const { KmsKeyring } = await import("@s3ec/keyring-kms");
    return new KmsKeyring({ ...options, client: await kmsClient(region ?? regionOfArn(options.keyId)) });
  },
  explain: ({ keyId, formerKeyIds = [] }, role) => [
    {
      key: `the KMS key ${keyId}`,
      readers: "whoever has permission for kms:Decrypt on it and knows the encryption context",
      canRead: true,
      writing: `permission for ${role === "generator" ? "kms:GenerateDataKey" : "kms:Encrypt"} on it`,
    },
    ...formerKeyIds.map((former) => ({
      key: `the former KMS key ${former}`,
      readers: null,
      canRead: true,
      writing: null,
    })),
  ],
});

export const kmsDiscovery: KeyringDescriptor = keyringDescriptor({
  type: "kms-discovery",
  schema: () =>
    z
      .strictObject({
        region: REGION.exactOptional(),
        discoveryFilter: z
          .strictObject({ partition: z.string().min(1), accountIds: z.array(z.string().min(1)).min(1) })
          .exactOptional(),
        grantTokens: GRANT_TOKENS.exactOptional(),
      })
      .describe("Reads with whichever KMS key an object names; cannot write."),
  create: async ({ region, ...options }, { kmsClient }) => {
    const { KmsDiscoveryKeyring } = await import("@s3ec/keyring-kms");
    return new KmsDiscoveryKeyring({ ...options, client: await kmsClient(region) });
  },
  explain: ({ discoveryFilter }) => [
    {
      key: `any KMS key${discoveryFilter === undefined ? "" : ` of the accounts ${discoveryFilter.accountIds.join(", ")}`}`,
      readers: null,
      canRead: true,
      writing: null,
    },
  ],
});

function regionOfArn(keyId: string): string | undefined {
  return /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1];
}
