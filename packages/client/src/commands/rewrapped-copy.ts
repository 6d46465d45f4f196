import type { CopyObjectCommandInput, HeadObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import type { LaidOutObject, ObjectRequest, WrapRules } from "@s3ec/materials";
import { S3EncryptionError } from "@s3ec/materials";
import { type CallOptions, requestOf } from "../call-options.js";
import { knownSuffixes, siblingRules } from "../files-beside.js";
import type { ResolvedOptions } from "../options.js";
import { unlessAborted } from "../request-aborted.js";
import { AllowedLosses } from "../restate/losses.js";
import { contentHeadersOf, sendableMetadata } from "../restate/stored-headers.js";
import { proveByContent } from "../rewrap/new-wrap.js";
import { callersMetadata, envelopesMetadata } from "../write/callers-metadata.js";
import { refuseOversizedMetadata } from "../write/metadata-limits.js";
import type { SiblingsToPut } from "../write/sibling-files.js";
import { refuseUnpinned, type SourceInput } from "./copy-source.js";
import type { Copied } from "./read-source.js";
import { servesBoth } from "./serves-both.js";

/** A copy whose readers are others than those of its source. */
export interface RewrappedCopy {
  readonly input: CopyObjectCommandInput;
  /** What goes beside it: wraps for its readers, and none of its source's. */
  readonly siblings: SiblingsToPut;
}

/**
 * A copy to where the client's materials manager chooses another keyring, whose readers could not open it: its data key is
 * wrapped for them, with all of their children. What is beside the source is for the source's readers, and stays there. Undefined
 * where the same keyring serves source and target.
 *
 * @param client one that does not encrypt, to read the content of what has no commitment: its tag is the proof then
 * @throws S3EncryptionError `unsupported-operation` for what can only be read and put again: messages, objects whose wrapped key
 *   is in an instruction file, and CBC, which proves no data key to be its own; what unwrapping and wrapping throw; S3's own errors
 */
export async function rewrappedCopy(
  client: S3Client,
  options: ResolvedOptions,
  call: CallOptions,
  input: CopyObjectCommandInput,
  source: SourceInput,
  { head, kind, files }: Copied,
): Promise<RewrappedCopy | undefined> {
  const [from, { siblingSuffix: _, ...to }] = [requestOf(options, call, source), requestOf(options, call, input)];
  const isSameKeyring = servesBoth(options.materialsManager, from, to);
  if (isSameKeyring === true) return undefined;
  const { Metadata: metadata = {} } = head;
  const format = options.formats.find((candidate) => candidate.recognise(metadata) === "by-metadata");
  const isInFile = !kind.standsAlone && (files.length > 0 || format !== undefined);
  if (isSameKeyring === undefined && (isInFile || format === undefined)) return undefined;
  if (isInFile) throw refused("has its wrapped key in an instruction file");
  if (format === undefined) {
    if (options.formats.every(({ readHead }) => readHead === undefined)) return undefined;
    throw refused("may be a message, whose header cannot be written again");
  }
  const { wraps } = format;
  if (wraps === undefined) throw refused(`is of format "${format.name}", whose data keys are not wrapped again`);
  const { abortSignal } = call;
  if (isSameKeyring === undefined) {
    const opens = (request: typeof to) => unlessAborted(() => isOpened(wraps, metadata, request), abortSignal);
    // What the source's keyring does not open, either, is no less readable there.
    if ((await opens(to)) || !(await opens(from))) return undefined;
  }
  const stored = wraps.find({ metadata, place: METADATA, request: from });
  // Before any key: a refusal after one was tried would tell whether it opens the wrap (S16).
  if (stored.suite.cipher === "cbc")
    throw refused("is CBC content, which does not prove that its wrapped key is its own");
  refuseUnpinned(source, head);
  const isReplacing = input.MetadataDirective === "REPLACE";
  const losses = AllowedLosses.ofCopy();
  const callers = isReplacing ? callersMetadata(options, input.Metadata) : keptMetadata(options, head, losses);
  const headers = isReplacing ? {} : contentHeadersOf(head, losses);
  const held = await unlessAborted(() => wraps.unwrap(stored, from), abortSignal);
  // Whoever writes to the bucket could have put somebody else's wrapped key on an object of theirs.
  if (!held.isProven) await proveByContent(client, { version: source, from: { abortSignal } }, head, held);
  const laid = await unlessAborted(() => wraps.wrapAnew({ ...held, isProven: true }, to), abortSignal);
  const Metadata = { ...callers, ...laid.metadata };
  refuseOversizedMetadata(Metadata, laid.metadata);
  return {
    input: { ...input, ...headers, Metadata, MetadataDirective: "REPLACE", AnnotationDirective: "EXCLUDE" },
    siblings: siblingsOf(options, input, laid, files),
  };
}

const METADATA = { in: "metadata" } as const;

/** Not what the client's policy refuses, either. Throws what a key store says that cannot be asked. */
async function isOpened(
  wraps: WrapRules,
  metadata: Readonly<Record<string, string>>,
  { materialDescription: _, ...request }: ObjectRequest,
): Promise<boolean> {
  try {
    await wraps.unwrap(wraps.find({ metadata, place: METADATA, request }), request);
    return true;
  } catch (error) {
    if (error instanceof S3EncryptionError && error.code !== "key-unavailable") return false;
    throw error;
  }
}

function keptMetadata(
  options: ResolvedOptions,
  head: HeadObjectCommandOutput,
  losses: AllowedLosses,
): Record<string, string> {
  const envelope = envelopesMetadata(options, head.Metadata ?? {});
  const kept = Object.entries(sendableMetadata(head, losses)).filter(([name]) => !Object.hasOwn(envelope, name));
  return Object.fromEntries(kept);
}

function siblingsOf(
  options: ResolvedOptions,
  input: CopyObjectCommandInput,
  { metadata, siblings }: LaidOutObject,
  ofSource: Copied["files"],
): SiblingsToPut {
  const mayHaveFiles = (options.materialsManager.instructionFileSuffixes ?? []).length > 0;
  const own = [...siblings.files, ...ofSource].map(({ suffix }) => suffix);
  return {
    ...siblings,
    verb: "Copy",
    suffixes: own.length > 0 || mayHaveFiles ? [...new Set([...knownSuffixes(options, input), ...own])] : [],
    // An earlier copy has the same content, and may have other readers.
    markOf: ({ Metadata = {} }) => (holdsAll(Metadata, metadata) ? siblings.markOf(Metadata) : undefined),
    isFile: (file, stored) => siblingRules(options).isFile(file, stored),
    isOfOtherReaders: true,
  };
}

/** In names of any letter case, as stores answer them (H35). */
function holdsAll(stored: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  const there = new Map(Object.entries(stored).map(([name, value]) => [name.toLowerCase(), value]));
  return Object.entries(wanted).every(([name, value]) => there.get(name.toLowerCase()) === value);
}

function refused(reason: string): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    `Another keyring serves the key that is copied to, and could not open the copy: the object ${reason}. Read it and put it there.`,
  );
}
