import type { MessageKeyName, StringMap } from "@s3ec/materials";
import { z } from "zod";
import type { WrappingKeyExplanation } from "../keyring-descriptor.js";

/** The `materialDescription` of a keyring whose keys have no names of their own. */
export const DESCRIPTION: z.ZodType<Readonly<Record<string, string>>> = z
  .record(z.string(), z.string())
  .describe("Stored in the clear beside the wrapped key; a reader's keyring selects its key by it.");

export const MESSAGE_KEY: z.ZodType<MessageKeyName> = z
  .strictObject({ namespace: z.string().min(1), name: z.string().min(1) })
  .describe(
    "What messages of the AWS Encryption SDK call the key, in the clear; all of its readers need the same two. Without it, the key serves no messages.",
  );
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
