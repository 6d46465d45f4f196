import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { isError } from "@s3ec/envelope";

/** Why a file could not be read whole. */
export type FileProblem = "missing" | "unreadable" | "too large" | "too late";

/** How far a file is read. */
export interface FileBounds {
  /** Of its content, in bytes. */
  readonly maxLength: number;
  /** How long a named pipe or a device is waited for. */
  readonly timeoutMs: number;
}

const POLL_MS = 20;

/**
 * What a file, a named pipe or a device holds, and its mode, or why that cannot be had. It is read to its end, whatever
 * size the system tells of it. What never ends or never comes is refused: a pipe is opened without waiting for its writer,
 * since nothing could end that wait.
 */
export async function readBoundedFile(
  path: string,
  bounds: FileBounds,
): Promise<{ readonly bytes: Buffer; readonly mode: number } | FileProblem> {
  let file: FileHandle | undefined;
  try {
    // Windows has no such flag, and no such pipes.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await file.stat();
    const bytes = await allOf(file, stats.isFIFO(), bounds);
    return typeof bytes === "string" ? bytes : { bytes, mode: stats.mode };
  } catch (error) {
    return isError(error) && error.code === "ENOENT" ? "missing" : "unreadable";
  } finally {
    await file?.close();
  }
}

async function allOf(
  file: FileHandle,
  isPipe: boolean,
  { maxLength, timeoutMs }: FileBounds,
): Promise<Buffer | FileProblem> {
  const end = Date.now() + timeoutMs;
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const piece = await available(file);
    // A pipe of which nothing came yet may have no writer yet.
    if (piece?.length === 0 && !(isPipe && length === 0)) return joined(pieces);
    if (piece !== undefined && piece.length > 0) {
      pieces.push(piece);
      length += piece.length;
      if (length > maxLength) return "too large";
    } else {
      if (Date.now() >= end) return "too late";
      await setTimeout(POLL_MS);
    }
  }
}

/** Empty at the end; undefined where nothing is there now. */
async function available(file: FileHandle): Promise<Buffer | undefined> {
  try {
    const buffer = Buffer.alloc(64 * 1024);
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (isError(error) && error.code === "EAGAIN") return undefined;
    throw error;
  }
}

/** It may be a key: no copy of it stays. */
function joined(pieces: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(pieces);
  for (const piece of pieces) piece.fill(0);
  return whole;
}
