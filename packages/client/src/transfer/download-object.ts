import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
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
import { writeWholeFile } from "./whole-file.js";

/** How far a download is, in bytes of plaintext. */
export interface DownloadProgress {
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
}

/** Fetches an object in ranges, and stores what it decrypts to. Leaves no request behind, however it ends. */
export async function downloadObject(download: Download): Promise<Omit<GetObjectCommandOutput, "Body">> {
  const { client, params, ranges, to } = download;
  if (isStream(to)) assertTakesMore(to);
  const object = await openRanges(client, params, ranges);
  try {
    const ContentLength = await store(download, await openDownload(download, object));
    const { Body, ContentRange, ...output } = withoutCiphertextChecksums(object.output);
    return { ...output, ContentLength };
  } finally {
    await object.close();
  }
}

interface OpenedDownload {
  readonly opened: OpenedObject;
  readonly storedLength: number;
  readonly body: CiphertextBody;
}

async function openDownload(
  { client, encryption, call, params, ranges }: Download,
  { output, length: storedLength, body, letGo }: RangedObject,
): Promise<OpenedDownload> {
  const { destroy } = body;
  const start = await recognise(formatsOf(encryption, call), output, body.chunks);
  let { chunks } = start;
  // An object that waits for its file must not keep a socket from it: enough of them would wait for ever.
  const ready = (): S3Client => {
    chunks = letGo?.() ?? chunks;
    return client;
  };
  const beside = new BesideObject(params, {
    get: (file) => ready().send(new GetObjectCommand(file), { abortSignal: ranges.signal }),
    client: ready,
    signal: ranges.signal,
  });
  const { format, head } = start;
  const opened = await openStored(
    encryption,
    { ...call, abortSignal: ranges.signal },
    { input: params, output, format, head, beside },
  );
  return { opened, storedLength, body: { chunks, destroy } };
}

/** Gives how many bytes of plaintext there were. */
async function store(download: Download, { opened, storedLength, body }: OpenedDownload): Promise<number> {
  const { encryption, to, ranges } = download;
  const counter = new Counter(download, opened.plaintextLength(storedLength));
  if (isStream(to)) {
    const plaintext = await openWhole(encryption, opened, storedLength, body);
    const source = readableOf(counter.count(plaintext.chunks), plaintext.destroy);
    try {
      assertTakesMore(to);
    } catch (error) {
      source.destroy();
      throw error;
    }
    await pipeline(source, to, { signal: ranges.signal });
  } else {
    // Nobody sees the file before its last chunk, and there is a last chunk only if the content is authentic.
    const chunks = counter.count(opened.decrypt(body.chunks));
    await writeWholeFile(typeof to === "string" ? to : fileURLToPath(to), chunks);
  }
  return counter.loaded;
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
  readonly #download: Download;
  readonly #total: number | undefined;

  constructor(download: Download, total: number | undefined) {
    this.#download = download;
    this.#total = total;
  }

  async *count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { params, onProgress } = this.#download;
    const { Bucket, Key } = params;
    for await (const chunk of chunks) {
      yield chunk;
      this.loaded += chunk.length;
      onProgress({
        loaded: this.loaded,
        ...(this.#total === undefined ? {} : { total: this.#total }),
        ...(Key === undefined ? {} : { Key }),
        ...(Bucket === undefined ? {} : { Bucket }),
      });
    }
  }
}
