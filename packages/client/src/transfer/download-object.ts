import type { FileHandle } from "node:fs/promises";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { Piece, UnprovenContent } from "@s3ec/envelope";
import { type OpenedObject, S3EncryptionError } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import { withoutCiphertextChecksums } from "../ciphertext-checksums.js";
import type { ResolvedOptions } from "../options.js";
import { BesideObject } from "../read/beside-object.js";
import { openStored } from "../read/open-stored.js";
import { formatsOf, recognise } from "../read/recognise.js";
import { type CiphertextBody, openWhole } from "../read/whole-content.js";
import { readableOf } from "../streams.js";
import { openRanges, type RangedObject, type RangeSettings } from "./ciphertext-ranges.js";
import { type KeptContent, writeKeptFile } from "./kept-file.js";
import type { KeptFolder } from "./kept-folder.js";
import { PlacedRange } from "./placed-plaintext.js";
import type { RangeSource } from "./range-requests.js";
import { type DownloadResumption, proveByRereading, type TakenUpDownload, takeUp } from "./resumed-download.js";
import { type TransferPace, TransferSpeed } from "./transfer-speed.js";
import { appendAll, type FileContent, writeWholeFile } from "./whole-file.js";

/** How far a download is, in bytes of plaintext, and how fast. */
export interface DownloadProgress extends TransferPace {
  /** Bytes of plaintext that the file or stream has. */
  readonly loaded: number;
  /** Absent for CBC, whose padding hides it, and for signed messages. */
  readonly total?: number;
  /** Of the object, as the download's `params` name it. */
  readonly Key?: string;
  /** Of the object, as the download's `params` name it. */
  readonly Bucket?: string;
}

export interface Download {
  /** One that does not decrypt. */
  readonly client: S3Client;
  readonly encryption: ResolvedOptions;
  readonly call: CallOptions;
  readonly params: GetObjectCommandInput;
  readonly to: string | URL | Writable;
  readonly ranges: RangeSettings;
  readonly onProgress: (progress: DownloadProgress) => void;
  /** To a file that may wait half written, and be resumed. */
  readonly resume?: {
    readonly onResume: (resumption: DownloadResumption) => void;
    /** Told of the folder that is left. */
    readonly onKept: (folder: string) => void;
  };
}

/** Fetches an object in ranges, and stores what it decrypts to. Leaves no request behind, however it ends. */
export async function downloadObject(download: Download): Promise<Omit<GetObjectCommandOutput, "Body">> {
  const { client, params, ranges, to } = download;
  if (isStream(to)) assertTakesMore(to);
  const source: RangeSource = {
    get: (input, abortSignal) => client.send(new GetObjectCommand(input), { abortSignal }),
    attempts: () => client.config.maxAttempts(),
  };
  const object = await openRanges(source, params, ranges);
  try {
    const ContentLength = await store(download, await openDownload(download, object));
    const { Body, ContentRange, ...output } = withoutCiphertextChecksums(object.output);
    return { ...output, ContentLength };
  } finally {
    await object.close();
  }
}

async function openDownload(
  { client, encryption, call, params, ranges }: Download,
  object: RangedObject,
): Promise<OpenedDownload> {
  const { output } = object;
  const start = await recognise(formatsOf(encryption, call), output, object.chunks);
  // An object that waits for its file must not keep a socket from it: enough of them would wait for ever.
  const ready = (): S3Client => {
    object.letGo();
    return client;
  };
  const beside = new BesideObject(params, {
    get: (file) => ready().send(new GetObjectCommand(file), { abortSignal: ranges.signal }),
    client: ready,
    signal: ranges.signal,
  });
  const { format, head } = start;
  const before = object.chunks;
  const opened = await openStored(
    encryption,
    { ...call, abortSignal: ranges.signal },
    { input: params, output, format, head, beside },
  );
  // Those from the beginning, where they were let go of.
  const chunks = object.chunks === before ? start.chunks : object.chunks;
  return { opened, object, body: { chunks, destroy: object.destroy }, isWhole: head === undefined };
}

interface OpenedDownload {
  readonly opened: OpenedObject;
  readonly object: RangedObject;
  readonly body: CiphertextBody;
  /** There is no head in front of the content. */
  readonly isWhole: boolean;
}

/** Gives how many bytes of plaintext there were. */
async function store(download: Download, opened: OpenedDownload): Promise<number> {
  const { to } = download;
  const counter = new Counter(download, opened.opened.plaintextLength(opened.object.length));
  if (isStream(to)) {
    await pipeTo(to, download, opened, counter);
    return counter.loaded;
  }
  const path = typeof to === "string" ? to : fileURLToPath(to);
  if (download.resume === undefined) await writeWholeFile(path, await fileContent(download, opened, counter));
  else await writeKeptFile(path, keptContent(download, opened, counter), download.resume.onKept);
  return counter.loaded;
}

async function pipeTo(
  to: Writable,
  { encryption, ranges }: Download,
  { opened, object, body }: OpenedDownload,
  counter: Counter,
): Promise<void> {
  const plaintext = await openWhole(encryption, opened, object.length, body);
  const source = readableOf(counter.count(plaintext.chunks), plaintext.destroy);
  try {
    assertTakesMore(to);
  } catch (error) {
    source.destroy();
    throw error;
  }
  await pipeline(source, to, { signal: ranges.signal });
}

/**
 * Nobody sees the file before its last byte is written, and it gets its name only if the content is authentic: what can be
 * decrypted in any order is written in its place as it arrives, and proven once all of it is there. What is small enough
 * to be in memory already is proven first.
 */
async function fileContent(
  { encryption }: Download,
  downloaded: OpenedDownload,
  counter: Counter,
): Promise<FileContent> {
  const { opened, object, body } = downloaded;
  const content = unprovenOf(downloaded);
  if (content === undefined) {
    const chunks = opened.decrypt(body.chunks);
    return { length: counter.total, isProven: false, writeTo: (file) => appendAll(file, counter.count(chunks)) };
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
    const onWritten = ({ length }: Piece): void => counter.add(length);
    await object.inPlaces((first) => new PlacedRange({ content, file, onWritten }, first));
    await content.prove();
  };
  return { length, isProven: false, writeTo };
}

/** Undefined where it can only be decrypted in order, be it that reading has begun. */
function unprovenOf({ opened, object, isWhole }: OpenedDownload): UnprovenContent | undefined {
  return isWhole && object.canPlace ? opened.unproven?.(object.length) : undefined;
}

/** The same for a file that may wait half written: what an earlier download left of it is not fetched again. */
function keptContent({ params, resume, ranges }: Download, opened: OpenedDownload, counter: Counter): KeptContent {
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
  let taken: TakenUpDownload | undefined;
  const writeTo = async (folder: KeptFolder): Promise<void> => {
    const { signal } = ranges;
    taken = await takeUp(folder, { content, identity, from: object.firstLength, signal });
    const { journal, kept, anew } = taken;
    counter.begin(kept.reduce((sum, { length }) => sum + length, 0));
    resume?.onResume({ kept: counter.loaded, ...(anew === undefined ? {} : { anew }) });
    const file = folder.plaintext;
    const onWritten = async (piece: Piece): Promise<void> => {
      counter.add(piece.length);
      await journal.add(piece);
    };
    await object.inPlaces((first) => new PlacedRange({ content, file, onWritten }, first), kept);
    if (kept.length === 0) await content.prove();
    else await proveByRereading(content, file);
  };
  return { length: content.length, writeTo, isWorthKeeping: () => taken?.journal.isEmpty === false };
}

function isStream(to: string | URL | Writable): to is Writable {
  return typeof to !== "string" && !("href" in to);
}

/** Of a stream that was ended already a pipeline waits for the end, and of one that failed it says only that it was closed. */
function assertTakesMore(to: Writable): void {
  if (to.errored) throw to.errored;
  if (!to.writableEnded && !to.destroyed) return;
  throw new S3EncryptionError(
    "invalid-argument",
    "The stream to download to was ended or destroyed: pass one that can be written to.",
  );
}

/** Tells how far a download is. */
class Counter {
  loaded = 0;
  readonly total: number | undefined;
  readonly #download: Download;
  #speed: TransferSpeed;

  constructor(download: Download, total: number | undefined) {
    this.#download = download;
    this.total = total;
    this.#speed = new TransferSpeed(total);
  }

  /** With what was there before. */
  begin(loaded: number): void {
    this.loaded = loaded;
    this.#speed = new TransferSpeed(this.total, loaded);
  }

  async *count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      yield chunk;
      this.add(chunk.length);
    }
  }

  add(length: number): void {
    const { params, onProgress } = this.#download;
    const { Bucket, Key } = params;
    this.loaded += length;
    onProgress({
      loaded: this.loaded,
      ...(this.total === undefined ? {} : { total: this.total }),
      ...this.#speed.at(this.loaded),
      ...(Key === undefined ? {} : { Key }),
      ...(Bucket === undefined ? {} : { Bucket }),
    });
  }
}
