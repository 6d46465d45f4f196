import type { CopyObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { COMMITTING_GCM } from "@s3ec/envelope";
import { type LaidOutObject, S3EncryptionError } from "@s3ec/materials";
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
import type { SourceInput } from "./copy-source.js";
import type { Copied } from "./read-source.js";

/** A copy whose readers are others than those of its source. */
export interface RewrappedCopy {
  readonly input: CopyObjectCommandInput;
  /** What goes beside it: wraps for its readers, and none of its source's. */
  readonly siblings: SiblingsToPut;
}

/**
 * A copy to where the client's materials manager chooses another keyring, whose readers could not open it: its data key is
 * wrapped for them, with all of their children. What is beside the source is for the source's readers, and stays there. Undefined
 * where the same keyring serves source and target, as far as the manager says.
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
  const [from, to] = [requestOf(options, call, source), requestOf(options, call, input)];
  const { materialsManager } = options;
  const partitionOf = (request: typeof from): string | undefined =>
    materialsManager.cachePartition?.({ ...request, suite: COMMITTING_GCM, algorithmBinding: COMMITTING_GCM.name });
  if (partitionOf(from) === partitionOf(to)) return undefined;
  const { Metadata: metadata = {} } = head;
  const format = options.formats.find((candidate) => candidate.recognise(metadata) === "by-metadata");
  const isInFile = !kind.standsAlone && (files.length > 0 || format !== undefined);
  if (isInFile) throw refused("has its wrapped key in an instruction file");
  if (format === undefined) {
    if (options.formats.every(({ readHead }) => readHead === undefined)) return undefined;
    throw refused("may be a message, whose header cannot be written again");
  }
  const { wraps } = format;
  if (wraps === undefined) throw refused(`is of format "${format.name}", whose data keys are not wrapped again`);
  const place = { in: "metadata" } as const;
  const stored = wraps.find({ metadata, place, request: from });
  // Before any key: a refusal after one was tried would tell whether it opens the wrap (S16).
  if (stored.suite.cipher === "cbc")
    throw refused("is CBC content, which does not prove that its wrapped key is its own");
  const { abortSignal } = call;
  const held = await unlessAborted(() => wraps.unwrap(stored, from), abortSignal);
  // Whoever writes to the bucket could have put somebody else's wrapped key on an object of theirs.
  if (!held.isProven) await proveByContent(client, { version: source, from: { abortSignal } }, head, held);
  const { siblingSuffix: _, ...request } = to;
  const laid = await unlessAborted(() => wraps.wrapAnew({ ...held, isProven: true }, request), abortSignal);
  const losses = new AllowedLosses();
  const envelope = envelopesMetadata(options, metadata);
  const kept = Object.entries(sendableMetadata(head, losses)).filter(([name]) => !Object.hasOwn(envelope, name));
  const isReplacing = input.MetadataDirective === "REPLACE";
  const callers = isReplacing ? callersMetadata(options, input.Metadata) : Object.fromEntries(kept);
  const Metadata = { ...callers, ...laid.metadata };
  refuseOversizedMetadata(Metadata, laid.metadata);
  const headers = isReplacing ? {} : contentHeadersOf(head, losses);
  return {
    input: { ...input, ...headers, Metadata, MetadataDirective: "REPLACE", AnnotationDirective: "EXCLUDE" },
    siblings: siblingsOf(options, input, laid, files),
  };
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
