import { constants, createReadStream, fstatSync, openSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { isatty, ReadStream as TerminalInput } from "node:tty";
import { S3EncryptionError } from "@s3ec/materials";
import { assertInputOpen } from "./closed-input.js";
import { openDescriptorOf, STANDARD_INPUT } from "./open-descriptor.js";

/** What is put: a file, whose size is known and which can be read anew; or a stream, which is read once. */
export type ByteSource =
  | {
      readonly file: FileHandle;
      readonly path: string;
      readonly size: number;
      /** Throws once its system says that somebody has written to it since it was opened. */
      readonly assertUnchanged: () => Promise<void>;
    }
  | { readonly stream: Readable };

/** Opens what a path names; `-` is standard input. */
export async function openSource(path: string): Promise<ByteSource> {
  const descriptor = await openDescriptorOf(path, STANDARD_INPUT);
  if (descriptor === STANDARD_INPUT) {
    assertInputOpen();
    return { stream: process.stdin };
  }
  if (descriptor !== undefined) return { stream: streamOf(descriptor) };
  const there = await stat(path);
  if (there.isDirectory()) throw new S3EncryptionError("invalid-argument", `${path} is not a file but a folder.`);
  // One of /proc or /sys takes no room, and has other bytes than its size says.
  if (there.isFile() && there.blocks > 0) return await openFile(path);
  // To open a pipe that nobody writes to yet would block, and no signal could end the process.
  return { stream: streamOf(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)) };
}

/** Opens what is known to be a file. */
export async function openFile(path: string): Promise<Extract<ByteSource, { file: FileHandle }>> {
  const file = await open(path, "r");
  const before = await file.stat({ bigint: true });
  return {
    file,
    path,
    size: Number(before.size),
    assertUnchanged: async () => {
      const now = await file.stat({ bigint: true });
      if ((["size", "mtimeNs", "ctimeNs"] as const).some((name) => now[name] !== before[name])) throw changed(path);
    },
  };
}

/** A file of which only parts are of one content, or too many bytes. */
export function changed(path: string): S3EncryptionError {
  return new S3EncryptionError("content-mismatch", `${path} changed while it was read: put it again.`);
}

/** The pieces of a file: the last one not before it is known that all of them are of one content. */
export async function* unchangedPieces(
  source: Extract<ByteSource, { file: FileHandle }>,
  size: number,
): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined;
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await source.file.read(Buffer.allocUnsafe(size), 0, size, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    if (last !== undefined) yield last;
    last = buffer.subarray(0, bytesRead);
  }
  await source.assertUnchanged();
  if (last !== undefined) yield last;
}

/** A stream that waits without holding a thread, where there may be something to wait for. */
function streamOf(descriptor: number): Readable {
  if (isatty(descriptor)) return new TerminalInput(descriptor);
  const kind = fstatSync(descriptor);
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd: descriptor, readable: true, writable: false });
  return createReadStream("", { fd: descriptor });
}
