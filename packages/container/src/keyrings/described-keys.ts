import type { KeyObject } from "node:crypto";
import type { MessageKeyName, StringMap } from "@s3ec/materials";
import { z } from "zod";
import { KEY_ALIASES, KEY_VERSIONS } from "../key-origins.js";
import type { WrappingKeyExplanation } from "../keyring-descriptor.js";

/** The `materialDescription` of a keyring whose keys have no names of their own. */
export const DESCRIPTION: z.ZodType<Readonly<Record<string, string>>> = z
  .record(z.string(), z.string())
  .describe("Stored in the clear beside the wrapped key; a reader's keyring selects its key by it.");

/** For keys of a keystore whose writers say the alias in the description. */
export const ALIAS_NAME: z.ZodType<string> = z
  .string()
  .min(1)
  .describe("Stores the alias of the keystore's entry in the material description, under this name.");

/** For keys of a secret store whose writers say the version in the description. */
export const VERSION_NAME: z.ZodType<string> = z
  .string()
  .min(1)
  .describe(
    "Stores the version of the secret or parameter that was read in the material description, under this name.",
  );

/** A keyring's part about one key. */
interface KeyPart {
  readonly wrappingKey?: KeyObject;
  readonly privateKey?: KeyObject;
  readonly publicKey?: KeyObject;
  readonly aliasDescribedAs?: string;
  readonly versionDescribedAs?: string;
  readonly materialDescription?: Readonly<Record<string, string>>;
}

function noted(names: WeakMap<KeyObject, string>, { wrappingKey, privateKey, publicKey }: KeyPart): string | undefined {
  const key = wrappingKey ?? privateKey ?? publicKey;
  return key === undefined ? undefined : names.get(key);
}

/** Refines the schema of such a part: where the alias is asked for, there has to be one. */
export const HAS_ALIAS: [(part: KeyPart) => boolean, { readonly error: string }] = [
  (part) => part.aliasDescribedAs === undefined || noted(KEY_ALIASES, part) !== undefined,
  { error: "expected the key of a keystore, whose alias aliasDescribedAs would store" },
];

/** The same of versions. */
export const HAS_VERSION: [(part: KeyPart) => boolean, { readonly error: string }] = [
  (part) => part.versionDescribedAs === undefined || noted(KEY_VERSIONS, part) !== undefined,
  { error: "expected a key of secretsManager or parameterStore, whose version versionDescribedAs would store" },
];

/** The same with aliases and versions in the descriptions, where they are asked for. */
export function withNotedNames<Part extends KeyPart & { readonly decryptionKeys?: readonly KeyPart[] }>(
  part: Part,
): Part {
  const { decryptionKeys } = part;
  return { ...withNoted(part), ...(decryptionKeys && { decryptionKeys: decryptionKeys.map(withNoted) }) };
}

function withNoted<Part extends KeyPart>(part: Part): Part {
  const { aliasDescribedAs, versionDescribedAs, ...others } = part;
  const names = [
    [aliasDescribedAs, noted(KEY_ALIASES, part)],
    [versionDescribedAs, noted(KEY_VERSIONS, part)],
  ].filter(([name, value]) => name !== undefined && value !== undefined);
  if (names.length === 0) return part;
  return { ...others, materialDescription: { ...part.materialDescription, ...Object.fromEntries(names) } } as Part;
}

export const MESSAGE_KEY: z.ZodType<MessageKeyName> = z
  .strictObject({ namespace: z.string().min(1), name: z.string().min(1) })
  .describe(
    "What messages of the AWS Encryption SDK call the key, in the clear; all of its readers need the same two. Without it, the key serves no messages.",
  );

/** What a raw key is known by: fields of the keyring, and of each of its `decryptionKeys`. */
export const RAW_KEY_NAMES: {
  readonly materialDescription: z.ZodExactOptional<typeof DESCRIPTION>;
  readonly aliasDescribedAs: z.ZodExactOptional<typeof ALIAS_NAME>;
  readonly versionDescribedAs: z.ZodExactOptional<typeof VERSION_NAME>;
  readonly messageKey: z.ZodExactOptional<typeof MESSAGE_KEY>;
} = {
  materialDescription: DESCRIPTION.exactOptional(),
  aliasDescribedAs: ALIAS_NAME.exactOptional(),
  versionDescribedAs: VERSION_NAME.exactOptional(),
  messageKey: MESSAGE_KEY.exactOptional(),
};

export const CBC_REWRAP: z.ZodType<boolean> = z
  .boolean()
  .describe("DANGEROUS: reads CBC objects that the Java client re-wrapped with a binding to GCM. For one migration.");

/** What a stored wrap is recognised by as one of a key. */
export interface KeyNames {
  readonly materialDescription?: StringMap;
  readonly messageKey?: MessageKeyName;
}

/** A key that only reads, in words. */
export function readOnly(kind: string, names: KeyNames): WrappingKeyExplanation {
  return { key: `a former ${kind}${described(names)}`, readers: null, canRead: true, writing: null };
}

export function described({ materialDescription, messageKey }: KeyNames): string {
  const entries = Object.entries(materialDescription ?? {}).map(([name, value]) => `${name}=${value}`);
  const description = entries.length === 0 ? "" : ` described as ${entries.join(", ")}`;
  if (messageKey === undefined) return description;
  return `${description}${description === "" ? "" : ","} called ${messageKey.name} of ${messageKey.namespace} in messages`;
}
