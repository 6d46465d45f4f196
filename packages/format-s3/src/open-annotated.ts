import {
  ANNOTATION_PREFIX,
  annotationName,
  type ContentKey,
  classifyEnvelope,
  type Envelope,
  holdsEnvelope,
  isSameWrapAlgorithm,
  MAX_INSTRUCTION_FILE_LENGTH,
  recipientOfAnnotation,
} from "@s3ec/envelope";
import { type AnnotationReader, isError, type ObjectToOpen, S3EncryptionError } from "@s3ec/materials";
import { openContent, openEnvelope } from "./open-content.js";
import type { ResolvedS3FormatOptions } from "./s3-format-options.js";

/** Annotations whose wrap is tried; each may cost a call to a key store. */
const MAX_TRIED = 8;
/** Annotations that are read to find those. */
const MAX_READ = 32;

/**
 * From what S3 answered to the key of the content. Where no key here opens the wrap that the object is found with, those in its
 * annotations are tried, through the same gates; a recipient that is named is asked for directly by a client that writes
 * annotations. None opens: the first error stands.
 */
export async function openAnnotated(options: ResolvedS3FormatOptions, object: ObjectToOpen): Promise<ContentKey> {
  const { annotations, metadata } = object;
  // They count only beside what holds the content to its key, on the object itself (S19).
  const mayHave = annotations !== undefined && options.instructionFiles.read && holdsEnvelope(metadata);
  if (!mayHave) return await openContent(options, object);
  const named = recipientNamed(options, object);
  const tried = new Set<string>();
  if (named !== undefined && options.wrapPlacement === "annotations") {
    tried.add(named);
    const opened = await openOne(options, object, await textOf(annotations, named), named);
    if (opened !== undefined && opened !== "failed") return opened;
  }
  try {
    return await openContent(options, object);
  } catch (error) {
    if (!mayHaveAnotherWrap(error, object)) throw error;
    return await openAny(options, object, annotations, { named, tried, first: error });
  }
}

function recipientNamed(options: ResolvedS3FormatOptions, object: ObjectToOpen): string | undefined {
  const suffix = object.siblingSuffix ?? options.instructionFiles.suffix;
  try {
    return suffix === undefined ? undefined : annotationName(suffix);
  } catch {
    // A file can have such a name.
    return undefined;
  }
}

/** The key is another's, or cannot be asked: not that the object is altered, or that it may not be read. */
function mayHaveAnotherWrap(error: unknown, { metadata, siblingSuffix, materialsManager }: ObjectToOpen): boolean {
  if (!(error instanceof S3EncryptionError)) return false;
  switch (error.code) {
    case "no-matching-key":
    case "key-unavailable":
      return true;
    case "not-encrypted":
      // The file of a recipient who was named is not there.
      return siblingSuffix !== undefined;
    case "decryption-failed": {
      // KMS tells another key's wrap from one that it does not open; a raw key does not.
      const found = classifyEnvelope(metadata, { wrapAlgorithms: materialsManager.wrapAlgorithms });
      return found.placement !== "metadata" || found.envelope.encryptedDataKey.wrapAlgorithm.keyKind !== "kms";
    }
    default:
      return false;
  }
}

interface Search {
  /** Name of the annotation of a recipient who was named. */
  readonly named: string | undefined;
  readonly tried: ReadonlySet<string>;
  /** Why the object could not be opened without. */
  readonly first: unknown;
}

async function openAny(
  options: ResolvedS3FormatOptions,
  object: ObjectToOpen,
  annotations: AnnotationReader,
  { named, tried, first }: Search,
): Promise<ContentKey> {
  // A store that has none says so with an error of ours; any other hides what might have opened the object.
  let unread: unknown;
  const hidden = (error: unknown): void => {
    if (!(error instanceof S3EncryptionError)) unread ??= error;
  };
  const listed = await annotations.list(ANNOTATION_PREFIX).catch((error: unknown) => {
    hidden(error);
    return [];
  });
  const isNamed = (name: string): boolean => name === named || (named !== undefined && name.startsWith(`${named}/`));
  const candidates = listed
    .filter(({ name, size }) => recipientOfAnnotation(name) !== undefined && size <= MAX_INSTRUCTION_FILE_LENGTH)
    .filter(({ name }) => !tried.has(name))
    .sort((a, b) => Number(isNamed(b.name)) - Number(isNamed(a.name)));
  let failed = 0;
  let read = 0;
  for (const { name } of candidates) {
    if (failed === MAX_TRIED || read === MAX_READ) break;
    read += 1;
    const text = await annotations.read(name).catch(hidden);
    const opened = await openOne(options, object, text ?? undefined, name);
    if (opened === "failed") failed += 1;
    else if (opened !== undefined) return opened;
  }
  const left = candidates.length - read;
  if (unread !== undefined && first instanceof S3EncryptionError) {
    const why = isError(unread) ? ` (${unread.name})` : "";
    throw new S3EncryptionError(
      first.code,
      `${first.message} Nor could all annotations of the object be read${why}, one of which may hold its wrapped key: allow s3:ListObjectAnnotations and s3:GetObjectAnnotation, or try again.`,
      { cause: first },
    );
  }
  if (left === 0 || !(first instanceof S3EncryptionError)) throw first;
  throw new S3EncryptionError(
    first.code,
    `${first.message} ${left} more annotations of the object may hold its wrapped key and were not tried: name the recipient (instructionFileSuffix).`,
    { cause: first },
  );
}

/** One that may not be read is none that opens. */
async function textOf(annotations: AnnotationReader, name: string): Promise<string | undefined> {
  return await annotations.read(name).catch(() => undefined);
}

/** Undefined for what no key here could open; `failed` where one was tried. */
async function openOne(
  options: ResolvedS3FormatOptions,
  object: ObjectToOpen,
  text: string | undefined,
  name: string,
): Promise<ContentKey | "failed" | undefined> {
  const envelope = text === undefined ? undefined : annotatedEnvelope(object, text, name);
  if (envelope === undefined) return undefined;
  try {
    return await openEnvelope(options, object, envelope);
  } catch (error) {
    if (error instanceof S3EncryptionError) return "failed";
    throw error;
  }
}

/**
 * The envelope with an annotation's wrapped key, where it agrees with the object's own metadata about the content, and that
 * holds the content to one key (S19): never of CBC.
 */
function annotatedEnvelope(object: ObjectToOpen, text: string, name: string): Envelope | undefined {
  const { wrapAlgorithms } = object.materialsManager;
  try {
    const { complete } = classifyEnvelope(object.metadata, { wrapAlgorithms, preferInstructionFile: true });
    const envelope = complete({ text, suffix: `.${recipientOfAnnotation(name)}` });
    const { wrapAlgorithm } = envelope.encryptedDataKey;
    const isOurs = wrapAlgorithms.some((entry) => isSameWrapAlgorithm(entry, wrapAlgorithm));
    return isOurs && envelope.suite.cipher !== "cbc" ? envelope : undefined;
  } catch {
    return undefined;
  }
}
