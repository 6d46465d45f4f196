import type { FileHandle } from "node:fs/promises";
import type { GetObjectCommandInput } from "@aws-sdk/client-s3";
import type { Piece, UnprovenContent } from "@s3ec/envelope";
import { type OpenedObject, S3EncryptionError } from "@s3ec/materials";
import type { ResolvedOptions } from "../options.js";
import { type CiphertextBody, openWhole } from "../read/whole-content.js";
import type { Telemetry } from "../telemetry/telemetry.js";
import type { RangedObject } from "./ciphertext-ranges.js";
import type { DownloadCounter } from "./download-progress.js";
import type { KeptContent } from "./kept-file.js";
import type { KeptFolder } from "./kept-folder.js";
import type { PieceJournal } from "./piece-journal.js";
import { PieceBuffers, PlacedRange } from "./placed-plaintext.js";
import { type DownloadResumption, isOfWholeBlocks, proveByRereading, takeUp } from "./resumed-download.js";
import { appendAll, type FileContent } from "./whole-file.js";

/** An object whose content can be decrypted now. */
export interface OpenedDownload {
  readonly opened: OpenedObject;
  readonly object: RangedObject;
  readonly body: CiphertextBody;
  /** There is no head in front of the content. */
  readonly isWhole: boolean;
}

/**
 * Nobody sees the file before its last byte is written, and it gets its name only if the content is authentic: what can be
 * decrypted in any order is written in its place as it arrives, and proven once all of it is there. What is small enough
 * to be in memory already is proven first.
 */
export async function fileContent(
  encryption: ResolvedOptions,
  downloaded: OpenedDownload,
  counter: DownloadCounter,
): Promise<FileContent> {
  const { opened, object, body } = downloaded;
  const { telemetry } = encryption;
  const content = unprovenOf(downloaded);
  if (content === undefined) {
    const chunks = opened.decrypt(body.chunks);
    const writeTo = (file: FileHandle): Promise<void> =>
      telemetry.step("s3ec.decrypt", {}, () => appendAll(file, counter.count(chunks)));
    return { length: counter.total, isProven: false, writeTo };
  }
  const { length } = content;
  if (object.isInMemory && length <= encryption.bufferSize) {
    const { chunks } = await openWhole(
      { ...encryption, enableDelayedAuthenticationMode: false },
      opened,
      object.length,
      body,
    );
    return { length, isProven: true, writeTo: (file) => appendAll(file, counter.count(chunks)) };
  }
  const writeTo = async (file: FileHandle): Promise<void> => {
    const buffers = new PieceBuffers();
    const onWritten = ({ length }: Piece): void => counter.add(length);
    await telemetry.step("s3ec.verify", { "s3ec.content_length": length }, async () => {
      await object.inPlaces((first) => new PlacedRange({ content, file, buffers, onWritten }, first));
      await content.prove();
    });
  };
  return { length, isProven: false, writeTo };
}

/** Undefined where it can only be decrypted in order, be it that reading has begun. */
function unprovenOf({ opened, object, isWhole }: OpenedDownload): UnprovenContent | undefined {
  return isWhole && object.canPlace ? opened.unproven?.(object.length) : undefined;
}

export interface ResumableDownload {
  readonly params: GetObjectCommandInput;
  readonly signal: AbortSignal;
  readonly onResume: (resumption: DownloadResumption) => void;
  readonly telemetry: Telemetry;
}

/** The same for a file that may wait half written: what an earlier download left of it is not fetched again. */
export function keptContent(
  { params, signal, onResume, telemetry }: ResumableDownload,
  opened: OpenedDownload,
  counter: DownloadCounter,
): KeptContent {
  const content = unprovenOf(opened);
  const { object } = opened;
  if (content === undefined) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "Only content under AES-GCM, on a runtime that hashes it as OpenSSL does, can be resumed: leave resume out.",
    );
  }
  const identity = {
    object: [params.Bucket, params.Key, params.VersionId],
    version: [object.output.ETag, object.length],
  };
  let found: PieceJournal | undefined;
  const onJournal = (journal: PieceJournal): void => {
    found = journal;
  };
  const writeTo = async (folder: KeptFolder): Promise<void> => {
    const download = { content, identity, from: object.firstLength, signal, onJournal };
    const { journal, kept, anew } = await takeUp(folder, download);
    counter.begin(kept.reduce((sum, { length }) => sum + length, 0));
    onResume({ kept: counter.loaded, ...(anew === undefined ? {} : { anew }) });
    const file = folder.plaintext;
    const buffers = new PieceBuffers();
    const onWritten = async (piece: Piece): Promise<void> => {
      counter.add(piece.length);
      if (isOfWholeBlocks(piece, content)) await journal.add(piece);
    };
    await telemetry.step("s3ec.verify", { "s3ec.content_length": content.length }, async () => {
      await object.inPlaces((first) => new PlacedRange({ content, file, buffers, onWritten }, first), kept);
      if (kept.length === 0) await content.prove();
      else await proveByRereading(content, file);
    });
  };
  return { length: content.length, writeTo, isEmpty: () => found?.isEmpty };
}
