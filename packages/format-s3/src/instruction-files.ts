import {
  completeFromBoth,
  DEFAULT_INSTRUCTION_FILE_SUFFIX,
  DOTNET_V1_SUFFIX,
  type Envelope,
  holdsEnvelope,
  type InstructionFile,
  instructionFileSuffix,
} from "@s3ec/envelope";
import { S3EncryptionError, type SiblingReader } from "@s3ec/materials";

/**
 * An object's instruction file: the asked suffix verbatim (H16). Absent is `not-encrypted` with what was looked for (S13);
 * any other failure is S3's own (H34).
 */
export async function fetchInstructionFile(
  siblings: SiblingReader,
  metadata: Readonly<Record<string, string>>,
  options: { readonly suffix: string | undefined; readonly tryDotNetV1: boolean },
): Promise<InstructionFile> {
  const { suffix = DEFAULT_INSTRUCTION_FILE_SUFFIX } = options;
  const suffixes =
    options.suffix === undefined && options.tryDotNetV1 ? [suffix, DOTNET_V1_SUFFIX] : suffixesToRead(suffix);
  const found = await firstOf(siblings, suffixes);
  if (found !== undefined) return found;
  const places = `there is no instruction file at its key plus ${suffixes.map((name) => `"${name}"`).join(" or ")}`;
  throw new S3EncryptionError(
    "not-encrypted",
    holdsEnvelope(metadata)
      ? `The object's wrapped key was not found: ${places}. Pass the suffix that its writer gave to your key (instructionFileSuffix).`
      : `The object was not written by an S3 encryption client: its metadata holds no encryption fields (x-amz-key-v2, x-amz-3, ...), and ${places}.`,
  );
}

/** The instruction file with this suffix; undefined where there is none. */
export function findInstructionFile(siblings: SiblingReader, suffix: string): Promise<InstructionFile | undefined> {
  return firstOf(siblings, suffixesToRead(suffix));
}

async function firstOf(siblings: SiblingReader, suffixes: readonly string[]): Promise<InstructionFile | undefined> {
  for (const suffix of suffixes) {
    const text = await siblings.read(suffix);
    if (text !== undefined) return { suffix, text };
  }
  return undefined;
}

/** As asked; a suffix without a dot first as we would have written it. */
function suffixesToRead(suffix: string): readonly string[] {
  return suffix.startsWith(".") || suffix === DOTNET_V1_SUFFIX ? [suffix] : [instructionFileSuffix(suffix), suffix];
}

/**
 * The envelope from the file that was found, unless it may be of an object that lay there before: .NET's first client put
 * its own file under another name (1.6), so that a `.instruction` stays when it stores an object over another client's.
 * Throws `malformed-envelope` where the two are not for the same content.
 */
export async function completeUnlessStale(
  siblings: SiblingReader,
  file: InstructionFile,
  complete: (file: InstructionFile) => Envelope,
): Promise<Envelope> {
  if (file.suffix === DOTNET_V1_SUFFIX) return complete(file);
  const text = await siblings.read(DOTNET_V1_SUFFIX).catch((error: unknown) => {
    // Without s3:ListBucket a file that is not there is a 403, and the first one is an answer.
    if (isForbidden(error)) return undefined;
    throw error;
  });
  return text === undefined ? complete(file) : completeFromBoth(complete, [file, { suffix: DOTNET_V1_SUFFIX, text }]);
}

/** As the AWS SDK tells it. */
export function isForbidden(error: unknown): boolean {
  const metadata: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "$metadata") : undefined;
  return typeof metadata === "object" && metadata !== null && Reflect.get(metadata, "httpStatusCode") === 403;
}
