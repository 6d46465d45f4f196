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
import { openStored } from "../read/open-stored.js";
import { formatsOf, recognise } from "../read/recognise.js";
import { openWhole } from "../read/whole-content.js";
import { readableOf } from "../streams.js";
import { openRanges, type RangedObject, type RangeSettings } from "./ciphertext-ranges.js";
import { DownloadCounter, type DownloadProgress } from "./download-progress.js";
import { fileContent, keptContent, type OpenedDownload } from "./downloaded-file.js";
import { writeKeptFile } from "./kept-file.js";
import type { RangeSource } from "./range-requests.js";
import type { DownloadResumption } from "./resumed-download.js";
import { writeWholeFile } from "./whole-file.js";

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
    telemetry: download.encryption.telemetry,
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

/** Gives how many bytes of plaintext there were. */
async function store(download: Download, opened: OpenedDownload): Promise<number> {
  const { to } = download;
  const counter = new DownloadCounter(download, opened.opened.plaintextLength(opened.object.length));
  if (isStream(to)) {
    await pipeTo(to, download, opened, counter);
    return counter.loaded;
  }
  const path = typeof to === "string" ? to : fileURLToPath(to);
  const { params, ranges, resume } = download;
  if (resume === undefined) await writeWholeFile(path, await fileContent(download.encryption, opened, counter));
  else {
    const { onResume, onKept } = resume;
    const { signal } = ranges;
    const { telemetry } = download.encryption;
    await writeKeptFile(path, keptContent({ params, signal, onResume, telemetry }, opened, counter), {
      onKept,
      signal,
    });
  }
  return counter.loaded;
}

async function pipeTo(
  to: Writable,
  { encryption, ranges }: Download,
  { opened, object, body }: OpenedDownload,
  counter: DownloadCounter,
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
