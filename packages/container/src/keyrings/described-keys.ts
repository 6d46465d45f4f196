import type { KeyObject } from "node:crypto";
import type { MessageKeyName, StringMap } from "@s3ec/materials";
import { z } from "zod";
import { KEY_ALIASES } from "../key-aliases.js";
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

/** A keyring's part about one key. */
interface KeyPart {
  readonly wrappingKey?: KeyObject;
  readonly privateKey?: KeyObject;
  readonly publicKey?: KeyObject;
  readonly aliasDescribedAs?: string;
  readonly materialDescription?: Readonly<Record<string, string>>;
}

function aliasOf({ wrappingKey, privateKey, publicKey }: KeyPart): string | undefined {
  const key = wrappingKey ?? privateKey ?? publicKey;
  return key === undefined ? undefined : KEY_ALIASES.get(key);
}

/** Refines the schema of such a part: where the alias is asked for, there has to be one. */
export const HAS_ALIAS: [(part: KeyPart) => boolean, { readonly error: string }] = [
  (part) => part.aliasDescribedAs === undefined || aliasOf(part) !== undefined,
  { error: "expected the key of a keystore, whose alias aliasDescribedAs would store" },
];

/** The same with aliases in the descriptions, where they are asked for. */
export function withAliases<Part extends KeyPart & { readonly decryptionKeys?: readonly KeyPart[] }>(part: Part): Part {
  const { decryptionKeys } = part;
  return { ...withAlias(part), ...(decryptionKeys && { decryptionKeys: decryptionKeys.map(withAlias) }) };
}

function withAlias<Part extends KeyPart>(part: Part): Part {
  const { aliasDescribedAs: name, ...others } = part;
  const alias = aliasOf(part);
  if (name === undefined || alias === undefined) return part;
  return { ...others, materialDescription: { ...part.materialDescription, [name]: alias } } as Part;
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
  readonly messageKey: z.ZodExactOptional<typeof MESSAGE_KEY>;
} = {
  materialDescription: DESCRIPTION.exactOptional(),
  aliasDescribedAs: ALIAS_NAME.exactOptional(),
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
