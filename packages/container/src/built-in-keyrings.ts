import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import type { StringMap } from "@s3ec/materials";
import { z } from "zod";
import { type KeyringDescriptor, keyringDescriptor } from "./keyring-descriptor.js";

const DESCRIPTION = z
  .record(z.string(), z.string())
  .describe("Stored in the clear beside the wrapped key; a reader's keyring selects its key by it.");
const CBC_REWRAP = z
  .boolean()
  .describe("DANGEROUS: reads CBC objects that the Java client re-wrapped with a binding to GCM. For one migration.");

const rawAes = keyringDescriptor({
  type: "raw-aes",
  schema: ({ aesKey }) =>
    z.strictObject({
      wrappingKey: aesKey,
      materialDescription: DESCRIPTION.exactOptional(),
      decryptionKeys: z
        .array(z.strictObject({ wrappingKey: aesKey, materialDescription: DESCRIPTION }))
        .exactOptional(),
      enableCbcRewrapBoundToGcm: CBC_REWRAP.exactOptional(),
    }),
  create: async (configuration) => {
    const { RawAesKeyring } = await import("@s3ec/keyring-raw-aes");
    return new RawAesKeyring(configuration);
  },
  explain: ({ wrappingKey, materialDescription, decryptionKeys = [] }) => [
    {
      key: `the AES-${(wrappingKey.symmetricKeySize ?? 0) * 8} key${described(materialDescription)}`,
      readers: "whoever holds this key",
      canRead: true,
      writing: "the key itself, which this configuration has",
    },
    ...decryptionKeys.map((entry) => readOnly("AES key", entry.materialDescription)),
  ],
});

const rawRsa = keyringDescriptor({
  type: "raw-rsa",
  schema: ({ rsaPrivateKey, rsaPublicKey }) =>
    z
      .strictObject({
        privateKey: rsaPrivateKey.exactOptional(),
        publicKey: rsaPublicKey.exactOptional(),
        materialDescription: DESCRIPTION.exactOptional(),
        decryptionKeys: z
          .array(z.strictObject({ privateKey: rsaPrivateKey, materialDescription: DESCRIPTION }))
          .exactOptional(),
        enableUnpaddedRsa: z
          .boolean()
          .describe("DANGEROUS: reads data keys that an old Java client wrapped with textbook RSA. For one migration.")
          .exactOptional(),
        enableCbcRewrapBoundToGcm: CBC_REWRAP.exactOptional(),
      })
      .refine(({ privateKey, publicKey }) => privateKey !== undefined || publicKey !== undefined, {
        error: "expected a publicKey (to write), a privateKey (to read), or both",
      }),
  create: async (configuration) => {
    const { RawRsaKeyring } = await import("@s3ec/keyring-raw-rsa");
    return new RawRsaKeyring(configuration);
  },
  explain: ({ privateKey, publicKey, materialDescription, decryptionKeys = [] }) => [
    {
      key: `the RSA key ${fingerprint(publicKey ?? privateKey)}${described(materialDescription)}`,
      readers: "whoever holds its private key",
      canRead: privateKey !== undefined,
      writing: `its public key, which this configuration has${publicKey === undefined ? " as part of the private one" : ""}`,
    },
    ...decryptionKeys.map((entry) => readOnly("RSA key", entry.materialDescription)),
  ],
});

const REGION = z.string().min(1).describe("Default: of the key ARN, then of the configuration's kms settings.");
const GRANT_TOKENS = z.array(z.string().min(1));

const kms = keyringDescriptor({
  type: "kms",
  schema: () =>
    z.strictObject({
      keyId: z.string().min(1).describe("Key id, key ARN, alias (alias/app) or alias ARN."),
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
  explain: ({ keyId }, role) => [
    {
      key: `the KMS key ${keyId}`,
      readers: "whoever has permission for kms:Decrypt on it and knows the encryption context",
      canRead: true,
      writing: `permission for ${role === "generator" ? "kms:GenerateDataKey" : "kms:Encrypt"} on it`,
    },
  ],
});

const kmsDiscovery = keyringDescriptor({
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

const multi = keyringDescriptor({
  type: "multi",
  schema: ({ keyring }) =>
    z.strictObject({
      generator: keyring.describe("Makes the data key. Without it the keyring only reads.").exactOptional(),
      children: z
        .array(
          z.strictObject({
            keyring,
            instructionFileSuffix: z
              .string()
              .min(1)
              .describe("Where its wrapped key goes: the object's key plus this, such as .escrow.")
              .exactOptional(),
          }),
        )
        .min(1)
        .describe("Each wraps the same data key, and can open the object without the others."),
    }),
  create: async ({ generator, children }, { createKeyring }) => {
    const { MultiKeyring } = await import("@s3ec/keyring-multi");
    const made = await Promise.all(
      children.map(async (child) => ({ ...child, keyring: await createKeyring(child.keyring) })),
    );
    return new MultiKeyring({
      ...(generator === undefined ? {} : { generator: await createKeyring(generator) }),
      children: made,
    });
  },
  explain: ({ generator, children }, role, explainKeyring) => [
    ...(generator === undefined
      ? []
      : explainKeyring(generator, role).map((key) => ({ instructionFileSuffix: ".instruction", ...key }))),
    ...children.flatMap(({ keyring, instructionFileSuffix: suffix }) =>
      explainKeyring(keyring, "child").map((key) => ({
        ...key,
        ...(generator === undefined ? { readers: null, writing: null } : {}),
        ...(suffix === undefined ? {} : { instructionFileSuffix: suffix }),
      })),
    ),
  ],
});

/** The keyring types of the sibling packages, each loaded only when a configuration names it. */
export const BUILT_IN_KEYRINGS: readonly KeyringDescriptor[] = Object.freeze([
  rawAes,
  rawRsa,
  kms,
  kmsDiscovery,
  multi,
]);

function readOnly(kind: string, description: StringMap): { key: string; readers: null; canRead: true; writing: null } {
  return { key: `a former ${kind}${described(description)}`, readers: null, canRead: true, writing: null };
}

function described(description: StringMap | undefined): string {
  const entries = Object.entries(description ?? {}).map(([name, value]) => `${name}=${value}`);
  return entries.length === 0 ? "" : ` described as ${entries.join(", ")}`;
}

/** Names a key without a file name that may be wrong: SHA-256 of the public key (SPKI), as OpenSSH and pinning do. */
function fingerprint(key: KeyObject | undefined): string {
  if (key === undefined) return "";
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  const spki = publicKey.export({ type: "spki", format: "der" });
  return `SHA256:${createHash("sha256").update(spki).digest("hex").slice(0, 16)}`;
}

function regionOfArn(keyId: string): string | undefined {
  return /^arn:[^:]+:kms:([^:]+):/.exec(keyId)?.[1];
}
