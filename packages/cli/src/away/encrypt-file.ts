import { createWriteStream } from "node:fs";
import { open, unlink } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type AwayOptions, type SealedUpload, sealObject, synced } from "@s3ec/client";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { type ByteSource, openSource, unchangedPieces } from "../byte-source.js";
import type { TransferOptions } from "../download.js";
import { assertNew, writeNew } from "../new-file.js";
import type { SealedFiles } from "./upload-commands.js";

/** What was written, and of how many bytes. */
export interface EncryptedFile extends SealedFiles {
  /** The file with the metadata. */
  readonly head: string;
  /** Bytes of plaintext. */
  readonly length: number;
}

/** Pieces that a file is read in. */
const PIECE = 1024 * 1024;

/**
 * Encrypts a file into one with the ciphertext, one with its metadata, and one for each wrapped key beside it: none of them
 * over a file that is there, and none of them left when anything fails.
 *
 * @param output where the ciphertext goes; `-` is standard output
 * @param head where the metadata goes
 */
export async function encryptFile(
  file: string,
  { output, head, metadata }: { output: string; head: string; metadata: Readonly<Record<string, string>> | undefined },
  keys: AwayOptions,
  { signal, onProgress }: Pick<TransferOptions, "signal" | "onProgress">,
): Promise<EncryptedFile> {
  for (const each of output === "-" ? [head] : [output, head]) await assertNew(each);
  const source = await openSource(file);
  const made: string[] = [];
  try {
    const counted = countedBody(source, onProgress);
    const size = "file" in source ? { ContentLength: source.size } : {};
    const object = { Body: counted.body, ...size, ...(metadata === undefined ? {} : { Metadata: metadata }) };
    const sealed = await sealObject(object, { ...keys, abortSignal: signal });
    const beside = filesBeside(sealed, output === "-" ? head : output);
    for (const { file: path } of beside.all) await assertNew(path);
    const length = await writeCiphertext(sealed, output, made, signal);
    const written = { ContentLength: length, Metadata: sealed.Metadata };
    await writeNew(head, `${JSON.stringify(written, null, 2)}\n`, 0o644);
    made.push(head);
    for (const { file: path, text } of beside.all) {
      await writeNew(path, text, 0o644);
      made.push(path);
    }
    return {
      output,
      head,
      length: counted.read(),
      metadata: sealed.Metadata,
      instructionFiles: beside.instructionFiles,
      annotations: beside.annotations,
      needsInstructionFiles: sealed.needsInstructionFiles,
    };
  } catch (error) {
    for (const path of made) await unlink(path).catch(() => {});
    throw signal.aborted ? signal.reason : error;
  } finally {
    if ("file" in source) await source.file.close();
    else source.stream.destroy();
  }
}

function countedBody(
  source: ByteSource,
  onProgress: TransferOptions["onProgress"],
): { readonly body: Readable; readonly read: () => number } {
  const size = "file" in source ? source.size : undefined;
  const plain = "file" in source ? unchangedPieces(source, PIECE) : source.stream;
  let read = 0;
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of plain) {
      read += chunk.length;
      onProgress(read, size);
      yield chunk;
    }
  };
  return { body: Readable.from(chunks(), { objectMode: false }), read: () => read };
}

interface FilesBeside {
  readonly instructionFiles: EncryptedFile["instructionFiles"];
  readonly annotations: EncryptedFile["annotations"];
  readonly all: readonly { readonly file: string; readonly text: string }[];
}

function filesBeside({ instructionFiles, annotations }: SealedUpload, output: string): FilesBeside {
  const files = instructionFiles.map(({ suffix, Body: text, Metadata: metadata }) => {
    return { suffix, text, metadata, file: `${output}${suffix}` };
  });
  // The name of an annotation has a slash.
  const texts = annotations.map(({ name, text }) => ({
    name,
    text,
    file: `${output}.annotation.${name.replaceAll("/", ".")}`,
  }));
  return { instructionFiles: files, annotations: texts, all: [...files, ...texts] };
}

/** Gives how many bytes it has. */
async function writeCiphertext(
  { Body }: SealedUpload,
  output: string,
  made: string[],
  signal: AbortSignal,
): Promise<number> {
  let length = 0;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      length += chunk.length;
      yield chunk;
    }
  };
  if (output === "-") {
    // Its end is not ours to say.
    await pipeline(Body, counted, process.stdout, { signal, end: false });
    return length;
  }
  const file = await open(output, "wx", 0o666).catch((error: unknown) => {
    Body.destroy();
    if (!isError(error) || error.code !== "ENOENT") throw error;
    throw new S3EncryptionError("invalid-argument", `There is no folder for ${output}: make it first.`);
  });
  made.push(output);
  try {
    const { fd } = file;
    await pipeline(Body, counted, createWriteStream("", { fd, autoClose: false }), { signal });
    await synced(file);
  } finally {
    await file.close();
  }
  return length;
}
