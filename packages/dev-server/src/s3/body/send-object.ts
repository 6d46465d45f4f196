import { type FileHandle, open } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { BodyFault } from "../../faults/faults.js";
import type { S3Exchange } from "../s3-exchange.js";
import type { Segment } from "../store/object-record.js";

const pieceBytes = 1 << 20;

/** Reads segments into two buffers in turn; a piece is valid until the one after the next is asked for. */
export async function* readSegments(
  segments: readonly Segment[],
  largest: number = pieceBytes,
): AsyncGenerator<Buffer> {
  const total = segments.reduce((sum, { length }) => sum + length, 0);
  const size = Math.min(largest, total);
  // A segment is at least one piece, however short.
  const takesTurns = segments.length > 1 || total > size;
  const buffers = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(takesTurns ? size : 0)];
  let turn = 0;
  for (const { path, start, length } of segments) {
    const handle = await open(path);
    try {
      for (let at = 0; at < length; ) {
        const buffer = buffers[turn++ % 2] ?? Buffer.alloc(0);
        const bytes = await readPiece(handle, buffer, start + at, Math.min(buffer.length, length - at));
        at += bytes;
        yield buffer.subarray(0, bytes);
      }
    } finally {
      await handle.close();
    }
  }
}

/** Sends the segments as the body of a response whose head has been written. */
export async function sendSegments(
  { response, fault, faults }: S3Exchange,
  segments: readonly Segment[],
): Promise<void> {
  const body = new BodyFault(fault);
  const rate = fault.throttleBytesPerSecond;
  const socket = response.socket;
  // A throttled body goes out in twentieths of a second, so that the rate is smooth.
  const largest = rate === undefined ? pieceBytes : Math.max(1, Math.min(pieceBytes, Math.floor(rate / 20)));
  let written = Promise.resolve();
  for await (const read of readSegments(segments, largest)) {
    const piece = body.pass(read);
    const delay = rate === undefined || socket === null ? 0 : faults.delayOf(socket, piece.length, rate);
    // No timer is shorter; what is left of it is owed with the next piece.
    if (delay >= 1) await sleep(delay);
    // The next piece is read while this one is written, and written only after it.
    await written;
    written = writePiece(response, piece);
    written.catch(() => {});
    if (body.cut) break;
  }
  await written;
  if (body.cut) response.destroy();
  else response.end();
}

/** Sends bytes as the body of a response whose head has been written. */
export function sendBytes({ response, fault }: S3Exchange, bytes: Buffer): void {
  const body = new BodyFault(fault);
  const passed = body.pass(bytes);
  if (body.cut) response.write(passed, () => response.destroy());
  else response.end(passed);
}

async function readPiece(handle: FileHandle, buffer: Buffer, position: number, length: number): Promise<number> {
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  if (bytesRead === 0) throw new Error("A stored file is shorter than its record says.");
  return bytesRead;
}

function writePiece(response: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error("The client closed the connection."));
    if (response.closed || response.destroyed) return onClose();
    response.once("close", onClose);
    response.write(piece, (error) => {
      response.off("close", onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}
