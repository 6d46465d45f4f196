import type { ObjectKind, SiblingRules } from "@s3ec/materials";
import { callOptionsOf } from "./call-options.js";
import type { ResolvedOptions } from "./options.js";
import { leavesRoomFor } from "./write/metadata-limits.js";

/** Of a client whose formats put everything into the object itself. */
const NONE: SiblingRules = {
  reads: false,
  replaceUnknown: false,
  unnamed: [],
  suffixes: () => [],
  suffixesBeside: () => [],
  suffixesOf: () => [],
  isOurs: () => false,
  kindOf: (): ObjectKind => ({ mark: undefined, standsAlone: true, needsFile: false }),
  fileMarkOf: () => undefined,
  isFile: () => false,
  marked: (metadata) => metadata,
  isFileFor: () => false,
  isProven: async () => false,
  refuseStale: () => {},
  tells: () => false,
};

/**
 * What the client's formats know of files beside objects. Before an object was looked at, nothing tells which format it is
 * of: it is the first one's that has any.
 */
export function siblingRules({ formats }: ResolvedOptions): SiblingRules {
  return formats.find(({ siblings }) => siblings !== undefined)?.siblings ?? NONE;
}

/** Suffixes of the files that a put may have left, to be looked at by one over it. */
export function knownSuffixes(options: ResolvedOptions, input: object): readonly string[] {
  return siblingRules(options).suffixes(options.materialsManager, callOptionsOf(input).instructionFileSuffix);
}

/**
 * Every suffix under which a file of this object may stand, in the order in which they are read. A key that would be longer
 * than S3 takes has none.
 */
export function suffixesBeside(options: ResolvedOptions, input: object, key: string): readonly string[] {
  const { instructionFileSuffix } = callOptionsOf(input);
  const suffixes = siblingRules(options).suffixesBeside(options.materialsManager, instructionFileSuffix);
  return suffixes.filter((suffix) => leavesRoomFor(key, suffix));
}
