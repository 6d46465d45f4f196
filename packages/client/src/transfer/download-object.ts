import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import type { CallOptions } from "../call-options.js";
import { withoutCiphertextChecksums } from "../ciphertext-checksums.js";
import type { ResolvedOptions } from "../options.js";
import { BesideObject } from "../read/beside-object.js";
import { decryptionOfMessage, messageFormatFor, openMessage, readStart } from "../read/open-message.js";
import { openVersion } from "../read/open-version.js";
import { type CiphertextBody, type Decryption, decryptionOf, openWhole } from "../read/whole-content.js";
import { readableOf } from "../streams.js";
import { openRanges, type RangedObject, type RangeSettings } from "./ciphertext-ranges.js";
import { writeWholeFile } from "./whole-file.js";

/** How far a download is, in bytes of plaintext. */
export interface DownloadProgress {
  readonly loaded: number;
  /** Absent for CBC, whose padding hides it, and for signed messages. */
  readonly total?: number;
  readonly Key?: string;
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
    const { decryption, body } = await openDecryption(download, object);
    const ContentLength = await store(download, decryption, body);
    const { Body, ContentRange, ...output } = withoutCiphertextChecksums(object.output);
    return { ...output, ContentLength };
  } finally {
    await object.close();
  }
}

async function openDecryption(
  { client, encryption, call, params, ranges }: Download,
  { output, length, body, letGo }: RangedObject,
): Promise<{ readonly decryption: Decryption; readonly body: CiphertextBody }> {
  const { destroy } = body;
  let { chunks } = body;
  const format = messageFormatFor(encryption, call, output);
  if (format !== undefined) {
    const start = await readStart(format, chunks);
    chunks = start.chunks;
    if (start.header !== undefined) {
      const message = await openMessage(format, encryption, call, start.header, params);
      return { decryption: decryptionOfMessage(message, length), body: { chunks, destroy } };
    }
  }
  // An object that waits for its file must not keep a socket from it: enough of them would wait for ever.
  const ready = (): S3Client => {
    chunks = letGo?.() ?? chunks;
    return client;
  };
  const content = await openVersion(encryption, call, params, output, {
    get: (file) => ready().send(new GetObjectCommand(file), { abortSignal: ranges.signal }),
    beside: new BesideObject(ready, params, ranges.signal),
  });
  return { decryption: decryptionOf(content, length), body: { chunks, destroy } };
}

/** Gives how many bytes of plaintext there were. */
async function store(download: Download, decryption: Decryption, body: CiphertextBody): Promise<number> {
  const { encryption, to, ranges } = download;
  const counter = new Counter(download, decryption.length);
  if (isStream(to)) {
    const plaintext = await openWhole(encryption, decryption, body);
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
    const chunks = counter.count(decryption.decrypt(body.chunks));
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
