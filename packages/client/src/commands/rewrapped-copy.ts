import type { CopyObjectCommandInput } from "@aws-sdk/client-s3";
import { COMMITTING_GCM } from "@s3ec/envelope";
import { type LaidOutWrap, type ObjectFormat, S3EncryptionError } from "@s3ec/materials";
import { type CallOptions, requestOf } from "../call-options.js";
import type { ResolvedOptions } from "../options.js";
import { unlessAborted } from "../request-aborted.js";
import { AllowedLosses } from "../restate/losses.js";
import { contentHeadersOf, sendableMetadata } from "../restate/stored-headers.js";
import { callersMetadata } from "../write/callers-metadata.js";
import { refuseOversizedMetadata } from "../write/metadata-limits.js";
import type { SourceInput } from "./copy-source.js";
import type { Copied } from "./read-source.js";

/**
 * A copy to where the client's materials manager chooses another keyring, whose readers could not open it: its data key is
 * wrapped for them. Undefined where the same keyring serves source and target, as far as the manager says.
 *
 * @throws S3EncryptionError `unsupported-operation` for what can only be read and put again: messages, objects with instruction
 *   files, and those whose data key nothing proves to be theirs; what unwrapping and wrapping throw
 */
export async function rewrappedCopy(
  options: ResolvedOptions,
  call: CallOptions,
  input: CopyObjectCommandInput,
  source: SourceInput,
  { head, kind, files }: Copied,
): Promise<CopyObjectCommandInput | undefined> {
  const [from, to] = [requestOf(options, call, source), requestOf(options, call, input)];
  const { materialsManager } = options;
  const partitionOf = (request: typeof from): string | undefined =>
    materialsManager.cachePartition?.({ ...request, suite: COMMITTING_GCM, algorithmBinding: COMMITTING_GCM.name });
  if (partitionOf(from) === partitionOf(to)) return undefined;
  const { Metadata: metadata = {} } = head;
  const format = options.formats.find((candidate) => candidate.recognise(metadata) === "by-metadata");
  const isInFiles = files.length > 0 || (format !== undefined && !kind.standsAlone);
  if (isInFiles) throw refused("has wrapped keys in instruction files");
  if (format === undefined) {
    if (options.formats.every(({ readHead }) => readHead === undefined)) return undefined;
    throw refused("may be a message, whose header cannot be written again");
  }
  const wrap = await unlessAborted(() => wrapped(format, metadata, from, to), call.abortSignal);
  const losses = new AllowedLosses();
  const kept = Object.entries(sendableMetadata(head, losses)).filter(([name]) => !wrap.replaces.includes(name));
  const isReplacing = input.MetadataDirective === "REPLACE";
  const callers = isReplacing ? callersMetadata(options, input.Metadata) : Object.fromEntries(kept);
  const Metadata = { ...callers, ...wrap.metadata };
  refuseOversizedMetadata(Metadata, wrap.metadata);
  const headers = isReplacing ? {} : contentHeadersOf(head, losses);
  return { ...input, ...headers, Metadata, MetadataDirective: "REPLACE" };
}

async function wrapped(
  format: ObjectFormat,
  metadata: Readonly<Record<string, string>>,
  from: ReturnType<typeof requestOf>,
  to: ReturnType<typeof requestOf>,
): Promise<LaidOutWrap> {
  const { wraps } = format;
  if (wraps === undefined) throw refused(`is of format "${format.name}", whose data keys are not wrapped again`);
  const place = { in: "metadata" } as const;
  const stored = wraps.find({ metadata, place, request: from });
  // Whoever writes to the bucket could have put somebody else's wrapped key on an object of theirs.
  const unproven = refused("does not prove that its wrapped key is its own (format V3 does)");
  // Before any key: a refusal after one was tried would tell whether it opens the wrap (S16).
  if (!stored.suite.committing) throw unproven;
  const held = await wraps.unwrap(stored, from);
  if (!held.isProven) throw unproven;
  return await wraps.wrap(held, { ...to, place, isFurther: false, isTrusted: false });
}

function refused(reason: string): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    `Another keyring serves the key that is copied to, and could not open the copy: the object ${reason}. Read it and put it there.`,
  );
}
