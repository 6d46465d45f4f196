import {
  classifyEnvelope,
  completeFromBoth,
  DEFAULT_INSTRUCTION_FILE_SUFFIX,
  DOTNET_V1_SUFFIX,
  fileMark,
  holdsEnvelope,
  holdsWrappedKey,
  instructionFileSuffix,
  isInstructionFile,
  markedFile,
  objectMark,
} from "@s3ec/envelope";
import type { MaterialsManager, ObjectKind, ObjectRequest, SiblingRules, SiblingText } from "@s3ec/materials";
import { openEnvelope } from "./open-content.js";
import type { ResolvedS3FormatOptions } from "./s3-format-options.js";

type Metadata = Readonly<Record<string, string>>;
type Wraps = Pick<MaterialsManager, "wrapAlgorithms">;

/** What the S3 formats know of instruction files. */
export class InstructionFileRules implements SiblingRules {
  readonly unnamed: readonly string[] = Object.freeze([DEFAULT_INSTRUCTION_FILE_SUFFIX, DOTNET_V1_SUFFIX]);
  readonly #options: ResolvedS3FormatOptions;

  constructor(options: ResolvedS3FormatOptions) {
    this.#options = options;
  }

  get reads(): boolean {
    return this.#options.instructionFiles.read;
  }

  get replaceUnknown(): boolean {
    return this.#options.instructionFiles.replaceUnknown;
  }

  /** Only as we write them: a key with a suffix that has no dot is somebody else's object. */
  suffixes({ instructionFileSuffixes = [] }: MaterialsManager, named: string | undefined): readonly string[] {
    const known = [
      DEFAULT_INSTRUCTION_FILE_SUFFIX,
      this.#options.instructionFiles.suffix,
      named,
      ...instructionFileSuffixes,
    ];
    return [...new Set(known.filter((suffix) => suffix !== undefined).map(instructionFileSuffix))];
  }

  /** Other writers' names have no dot (1.6). */
  suffixesBeside(materialsManager: MaterialsManager, named: string | undefined): readonly string[] {
    const others = [named, this.#options.instructionFiles.suffix, DOTNET_V1_SUFFIX];
    const undotted = others.filter((suffix) => suffix !== undefined && !this.isOurs(suffix));
    return [
      ...new Set([...this.suffixes(materialsManager, named), ...undotted].filter((suffix) => suffix !== undefined)),
    ];
  }

  suffixesOf(named: string | undefined): readonly string[] {
    const suffix = named ?? this.#options.instructionFiles.suffix ?? DEFAULT_INSTRUCTION_FILE_SUFFIX;
    return [...new Set([suffix, instructionFileSuffix(suffix)])];
  }

  isOurs(suffix: string): boolean {
    return suffix.startsWith(".");
  }

  kindOf(metadata: Metadata): ObjectKind {
    const mark = objectMark(metadata);
    const standsAlone = holdsWrappedKey(metadata);
    return { mark, standsAlone, needsFile: !standsAlone && (mark !== undefined || holdsEnvelope(metadata)) };
  }

  fileMarkOf(metadata: Metadata): string | undefined {
    return fileMark(metadata);
  }

  isFile(file: SiblingText, metadata: Metadata): boolean {
    return fileMark(metadata) !== undefined || isInstructionFile(file, metadata);
  }

  marked(metadata: Metadata, mark: string): Metadata {
    return markedFile(metadata, mark);
  }

  isFileFor(metadata: Metadata, file: SiblingText, { wrapAlgorithms }: Wraps): boolean {
    try {
      const ofObject = classifyEnvelope(metadata, { wrapAlgorithms });
      // Beside a wrapped key in the metadata a name without a dot is somebody else's object.
      if (ofObject.placement === "metadata" && !this.isOurs(file.suffix)) return false;
      classifyEnvelope(metadata, { wrapAlgorithms, preferInstructionFile: true }).complete(file);
      return true;
    } catch {
      return false;
    }
  }

  /** By the commitment of V3, or by the IV of an envelope in the metadata, which was compared (S19). */
  async isProven(object: ObjectRequest & { readonly metadata: Metadata }, file: SiblingText): Promise<boolean> {
    const { metadata, materialsManager } = object;
    try {
      const { wrapAlgorithms } = materialsManager;
      const envelope = classifyEnvelope(metadata, { wrapAlgorithms, preferInstructionFile: true }).complete(file);
      if (envelope.format !== "V3") return holdsWrappedKey(metadata);
      await openEnvelope(this.#options, object, envelope);
      return true;
    } catch {
      return false;
    }
  }

  /** As a reader does of an object that has nothing on it: `.instruction` and the file of .NET's first client. */
  refuseStale(metadata: Metadata, files: readonly SiblingText[], { wrapAlgorithms }: Wraps): void {
    const [first, ...others] = files;
    const foreign = others.find(({ suffix }) => suffix === DOTNET_V1_SUFFIX);
    if (first === undefined || foreign === undefined) return;
    const ofObject = classifyEnvelope(metadata, { wrapAlgorithms });
    if (ofObject.placement === "instruction-file") completeFromBoth(ofObject.complete, [first, foreign]);
  }

  /** By the commitment of format V3, or by the IV of an envelope that is whole in the metadata (S19). */
  tells(metadata: Metadata, { wrapAlgorithms }: Wraps): boolean {
    const isCommitted = Object.keys(metadata).some((name) => name.toLowerCase() === "x-amz-c");
    return isCommitted || classifyEnvelope(metadata, { wrapAlgorithms }).placement === "metadata";
  }
}
