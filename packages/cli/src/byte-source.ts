import { constants, createReadStream, fstatSync, openSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { isatty, ReadStream as TerminalInput } from "node:tty";
import { S3EncryptionError } from "@s3ec/materials";
import { openDescriptorOf, STANDARD_INPUT } from "./open-descriptor.js";

/** What is put: a file, whose size is known and which can be read anew; or a stream, which is read once. */
export type ByteSource =
  | { readonly file: FileHandle; readonly path: string; readonly size: number }
  | { readonly stream: Readable };

/** Opens what a path names; `-` is standard input. */
export async function openSource(path: string): Promise<ByteSource> {
  const descriptor = await openDescriptorOf(path, STANDARD_INPUT);
  if (descriptor === STANDARD_INPUT) return { stream: process.stdin };
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
  return { file, path, size: (await file.stat()).size };
}

/** A stream that waits without holding a thread, where there may be something to wait for. */
function streamOf(descriptor: number): Readable {
  if (isatty(descriptor)) return new TerminalInput(descriptor);
  const kind = fstatSync(descriptor);
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd: descriptor, readable: true, writable: false });
  return createReadStream("", { fd: descriptor });
}
