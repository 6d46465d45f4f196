import type { StringMap } from "@s3ec/materials";
import { z } from "zod";
import type { WrappingKeyExplanation } from "../keyring-descriptor.js";

/** The `materialDescription` of a keyring whose keys have no names of their own. */
export const DESCRIPTION: z.ZodType<Readonly<Record<string, string>>> = z
  .record(z.string(), z.string())
  .describe("Stored in the clear beside the wrapped key; a reader's keyring selects its key by it.");

export const CBC_REWRAP: z.ZodType<boolean> = z
  .boolean()
  .describe("DANGEROUS: reads CBC objects that the Java client re-wrapped with a binding to GCM. For one migration.");

/** A key that only reads, in words. */
export function readOnly(kind: string, description: StringMap): WrappingKeyExplanation {
  return { key: `a former ${kind}${described(description)}`, readers: null, canRead: true, writing: null };
}

export function described(description: StringMap | undefined): string {
  const entries = Object.entries(description ?? {}).map(([name, value]) => `${name}=${value}`);
  return entries.length === 0 ? "" : ` described as ${entries.join(", ")}`;
}
