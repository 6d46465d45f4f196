import { isReservedMetadata } from "@s3ec/envelope";
import type { ResolvedOptions } from "../options.js";
import { checkUserMetadata } from "./metadata-limits.js";

type Metadata = Readonly<Record<string, string>>;

/**
 * What of user metadata is the caller's: all but the envelope's own names, which a get shows with it, so that what came may
 * be given back. Refuses what is left that would be read as part of an envelope (H9, S17).
 */
export function callersMetadata({ formats }: ResolvedOptions, metadata: Metadata | undefined): Metadata | undefined {
  const isOwn = (name: string): boolean =>
    formats.some(({ metadataNames = [] }) => metadataNames.includes(name.toLowerCase()));
  // What is no plain object is refused as it is.
  const isPlain = typeof metadata === "object" && metadata !== null && !(Symbol.iterator in metadata);
  const callers = isPlain ? Object.fromEntries(Object.entries(metadata).filter(([name]) => !isOwn(name))) : metadata;
  checkUserMetadata(callers);
  return callers;
}

/**
 * What of an object's user metadata belongs to its envelope, whichever format it is of: also names that nobody here knows
 * are kept, where they are of those that no owner may use.
 */
export function envelopesMetadata({ formats }: ResolvedOptions, metadata: Metadata): Record<string, string> {
  const isOwn = (name: string): boolean =>
    isReservedMetadata(name) || formats.some(({ metadataNames = [] }) => metadataNames.includes(name.toLowerCase()));
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => isOwn(name)));
}
