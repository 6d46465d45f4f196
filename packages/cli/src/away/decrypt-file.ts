import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type DecryptedObject,
  type ObjectAway,
  type OpenOptions,
  openObject,
  openObjectToFile,
  type PresignedGet,
} from "@s3ec/client";
import { S3EncryptionError } from "@s3ec/materials";
import { type ByteSource, openSource } from "../byte-source.js";
import { openTarget } from "../byte-target.js";
import type { TransferOptions } from "../download.js";
import { takeStandardOutput } from "../json/json-output.js";
import { readHead } from "./read-head.js";

/** What `s3ec decrypt` is told beside its keys. */
export interface DecryptOptions {
  readonly head?: string;
  readonly instruction?: string;
  readonly annotation?: Readonly<Record<string, string>>;
  readonly presigned?: string;
}

/** Pieces that a file is read in. */
const PIECE = 1024 * 1024;

/**
 * Decrypts a downloaded object into a file that has its name only once it is whole and authenticated, or into a stream that
 * gets nothing before that.
 *
 * @param keys the client whose keys open it, and what the call says
 */
export async function decryptFile(
  file: string,
  output: string,
  { head, instruction, annotation, presigned, ...keys }: DecryptOptions & OpenOptions,
  { signal, onProgress }: Pick<TransferOptions, "signal" | "onProgress">,
): Promise<DecryptedObject & { readonly isToStandardOutput: boolean }> {
  if (head === "-" && file === "-") {
    throw new S3EncryptionError("invalid-argument", "Standard input can have the object or its head, not both.");
  }
  const described = head === undefined ? { Metadata: {} } : await readHead(head);
  const options: OpenOptions = { ...(await given(instruction, annotation, presigned)), ...keys, abortSignal: signal };
  const source = await openSource(file);
  const object = { ...described, ...bodyOf(source, described.ContentLength, onProgress) };
  try {
    const target = await openTarget(output, signal);
    if ("file" in target) {
      return { ...(await openObjectToFile(object, target.file, options)), isToStandardOutput: false };
    }
    if (target.isStandardOutput) takeStandardOutput();
    const { Body, ...opened } = await openObject(object, options);
    let length = 0;
    const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        length += chunk.length;
        yield chunk;
      }
    };
    await pipeline(Body as unknown as AsyncIterable<Uint8Array>, counted, target.stream, { signal });
    return { ...opened, ContentLength: length, isToStandardOutput: target.isStandardOutput };
  } catch (error) {
    throw signal.aborted ? signal.reason : withOptionsNamed(error, head !== undefined);
  } finally {
    if ("file" in source) await source.file.close();
    else source.stream.destroy();
  }
}

function bodyOf(
  source: ByteSource,
  stated: number | undefined,
  onProgress: TransferOptions["onProgress"],
): Pick<ObjectAway, "Body" | "ContentLength"> {
  const size = "file" in source ? source.size : undefined;
  const stored =
    "file" in source ? source.file.createReadStream({ highWaterMark: PIECE, autoClose: false }) : source.stream;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    let read = 0;
    for await (const chunk of stored) {
      read += chunk.length;
      onProgress(read, size);
      yield chunk;
    }
  };
  const length = stated ?? size;
  return {
    Body: Readable.from(counted(), { objectMode: false }),
    ...(length === undefined ? {} : { ContentLength: length }),
  };
}

/** What lay beside the object, in files of their own or in what `s3ec presign --json` printed. */
async function given(
  instruction: string | undefined,
  annotation: Readonly<Record<string, string>> = {},
  presigned: string | undefined,
): Promise<Pick<OpenOptions, "annotations" | "instructionFile">> {
  const files = await Promise.all(
    Object.entries(annotation).map(async ([name, file]) => [name, await readFile(file, "utf8")] as const),
  );
  const needed = presigned === undefined ? {} : await presignedBeside(presigned);
  const annotations = { ...needed.annotations, ...Object.fromEntries(files) };
  return {
    ...(needed.instructionFile === undefined ? {} : { instructionFile: needed.instructionFile }),
    ...(instruction === undefined ? {} : { instructionFile: await readFile(instruction, "utf8") }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

async function presignedBeside(file: string): Promise<Pick<PresignedGet, "annotations" | "instructionFile">> {
  const text = await readFile(file, "utf8");
  try {
    const { instructionFile, annotations } = JSON.parse(text);
    return {
      ...(instructionFile === undefined ? {} : { instructionFile }),
      ...(annotations === undefined ? {} : { annotations }),
    };
  } catch {
    throw new S3EncryptionError("invalid-argument", `${file} is not what s3ec presign --json printed.`);
  }
}

/** What the client calls by its options, this command has options of its own for. */
function withOptionsNamed(error: unknown, hasHead: boolean): unknown {
  if (!(error instanceof S3EncryptionError)) return error;
  const { code } = error;
  if (code !== "not-encrypted" && code !== "no-matching-key") return error;
  const message = error.message.replace("pass its text as instructionFile", "name it with --instruction");
  const aboutHead =
    hasHead || code !== "not-encrypted"
      ? ""
      : " Only a message of the AWS Encryption SDK can be read without its metadata: name that with --head.";
  return new S3EncryptionError(code, `${message}${aboutHead}`, { cause: error });
}
