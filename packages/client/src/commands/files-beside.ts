import {
  classifyEnvelope,
  completeFromBoth,
  DOTNET_V1_SUFFIX,
  fileMark,
  holdsEnvelope,
  holdsWrappedKey,
  type InstructionFile,
  objectMark,
} from "@s3ec/envelope";
import { callOptionsOf } from "../call-options.js";
import { knownSuffixes } from "../instruction-files.js";
import type { ResolvedOptions } from "../options.js";
import { leavesRoomFor } from "../write/metadata-limits.js";
import type { Siblings } from "../write/sibling-files.js";

type Metadata = Readonly<Record<string, string>>;

/** What an object's user metadata says of the files beside it. */
export interface ObjectKind {
  /** Tells it from every other object; undefined where its writer left nothing on it. */
  readonly mark: string | undefined;
  /** Whether it can be read without a file. */
  readonly standsAlone: boolean;
  /** Whether it is certain that it cannot. Neither is certain of an object with nothing of ours on it. */
  readonly needsFile: boolean;
}

export function kindOf(metadata: Metadata): ObjectKind {
  const mark = objectMark(metadata);
  const standsAlone = holdsWrappedKey(metadata);
  return { mark, standsAlone, needsFile: !standsAlone && (mark !== undefined || holdsEnvelope(metadata)) };
}

/** What tells an object and the files beside it, as `Siblings` ask it. */
export const MARKS: Pick<Siblings, "fileMarkOf" | "standsAlone"> = {
  fileMarkOf: fileMark,
  standsAlone: holdsWrappedKey,
};

/**
 * Every suffix under which a file of this object may stand, in the order in which they are read: those of our own files, and
 * then other writers' names without a dot (1.6), which may as well be somebody else's objects. A key that would be longer
 * than S3 takes has none.
 */
export function suffixesBeside(options: ResolvedOptions, input: object, key: string): readonly string[] {
  const named = [callOptionsOf(input).instructionFileSuffix, options.instructionFiles.suffix];
  const undotted = [...named, DOTNET_V1_SUFFIX].filter((suffix) => suffix !== undefined && !suffix.startsWith("."));
  const all = [...knownSuffixes(options, input), ...undotted].filter((suffix) => suffix !== undefined);
  return [...new Set(all)].filter((suffix) => leavesRoomFor(key, suffix));
}

/** Whether a file is ours by its name alone. */
export function isNamedAsOurs(suffix: string): boolean {
  return suffix.startsWith(".");
}

/** Whether a file could complete the envelope of an object with this user metadata, as far as that shows without a key. */
export function isFileFor(metadata: Metadata, file: InstructionFile, { wrapAlgorithms }: Wraps): boolean {
  try {
    const ofObject = classifyEnvelope(metadata, { wrapAlgorithms });
    // Beside a wrapped key in the metadata a name without a dot is somebody else's object.
    if (ofObject.placement === "metadata" && !isNamedAsOurs(file.suffix)) return false;
    const beside = classifyEnvelope(metadata, { wrapAlgorithms, preferInstructionFile: true });
    if (beside.placement === "instruction-file") beside.complete(file);
    return true;
  } catch {
    return false;
  }
}

/**
 * Refuses two files for one object that has nothing on it, as a reader does: `.instruction` and the one of .NET's first
 * client. Throws `malformed-envelope` where they are not for the same content.
 */
export function refuseStaleFile(
  metadata: Metadata,
  files: readonly InstructionFile[],
  { wrapAlgorithms }: Wraps,
): void {
  const [first, ...others] = files;
  const foreign = others.find(({ suffix }) => suffix === DOTNET_V1_SUFFIX);
  if (first === undefined || foreign === undefined) return;
  const ofObject = classifyEnvelope(metadata, { wrapAlgorithms });
  if (ofObject.placement === "instruction-file") completeFromBoth(ofObject.complete, [first, foreign]);
}

type Wraps = Pick<ResolvedOptions["materialsManager"], "wrapAlgorithms">;
