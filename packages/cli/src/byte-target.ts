import { constants, createWriteStream, fstatSync, openSync } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { isatty, WriteStream as TerminalOutput } from "node:tty";
import { S3EncryptionError } from "@s3ec/materials";
import { openDescriptorOf, STANDARD_OUTPUT } from "./open-descriptor.js";

/** Where to a get goes: a file that is made or replaced, or a stream that is written to as it is. */
export type ByteTarget = { readonly file: string } | { readonly stream: Writable; readonly isStandardOutput: boolean };

/** Opens what a path names, unless that is a file, or nothing yet; `-` is standard output. */
export async function openTarget(path: string, signal: AbortSignal): Promise<ByteTarget> {
  const descriptor = await openDescriptorOf(path, STANDARD_OUTPUT);
  if (descriptor !== undefined) {
    return { stream: streamOf(descriptor), isStandardOutput: descriptor === STANDARD_OUTPUT };
  }
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (there === undefined || there.isFile()) return { file: path };
  if (there.isDirectory()) {
    throw new S3EncryptionError(
      "invalid-argument",
      `${path} is a folder: name a file, or write ${path}/ to put it there.`,
    );
  }
  const opened = there.isFIFO()
    ? await openPipe(path, signal)
    : openSync(path, constants.O_WRONLY | constants.O_NOCTTY);
  return { stream: streamOf(opened, true), isStandardOutput: false };
}

function streamOf(descriptor: number, autoClose = false): Writable {
  const standard = descriptor === 1 ? process.stdout : descriptor === 2 ? process.stderr : undefined;
  if (standard !== undefined) {
    // Its end is not ours to say, and only its callbacks tell that a reader has gone.
    return new Writable({ write: (chunk, _encoding, done) => void standard.write(chunk, done) });
  }
  if (isatty(descriptor)) return new TerminalOutput(descriptor);
  const kind = fstatSync(descriptor);
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd: descriptor, readable: false, writable: true });
  return createWriteStream("", { fd: descriptor, autoClose });
}

/** Milliseconds between two looks at a pipe that has no reader yet. */
const LOOK_AGAIN = 50;

/** Opening a pipe waits for its reader; a thread that waits in the system could not be ended by a signal. */
async function openPipe(path: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENXIO")) throw error;
      await setTimeout(LOOK_AGAIN, undefined, { signal });
    }
  }
}
