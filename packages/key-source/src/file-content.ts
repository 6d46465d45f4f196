import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { isError } from "@s3ec/materials";
import { KeyProblem } from "./key-problem.js";

/** Longer than any key or keystore that makes sense. */
export const MAX_LENGTH: number = 16 * 1024 * 1024;

const POLL_MS = 20;

/**
 * What a file, a named pipe or a device holds, as long as a key can be, and its mode. What never ends or never comes is
 * refused: a pipe is opened without waiting for its writer, since nothing could end that wait.
 */
export async function fileContent(path: string, timeoutMs: number): Promise<{ bytes: Buffer; mode: number }> {
  let file: FileHandle | undefined;
  try {
    // Windows has no such flag, and no such pipes.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await file.stat();
    return { bytes: await allOf(file, stats.isFIFO(), timeoutMs), mode: stats.mode };
  } catch (error) {
    if (error instanceof KeyProblem) throw error;
    const missing = isError(error) && error.code === "ENOENT";
    throw new KeyProblem(`the file named here ${missing ? "does not exist" : "cannot be read"}`);
  } finally {
    await file?.close();
  }
}

async function allOf(file: FileHandle, isPipe: boolean, timeoutMs: number): Promise<Buffer> {
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
      if (length > MAX_LENGTH) throw new KeyProblem("the file named here is too large for a key");
    } else {
      if (Date.now() >= end) throw new KeyProblem(`what the file named here holds did not come within ${timeoutMs} ms`);
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

function joined(pieces: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(pieces);
  for (const piece of pieces) piece.fill(0);
  return whole;
}
