import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { MiB } from "./setting.js";

const PIECE = 64 * 1024;

/** A stream as an application has one: pieces of 64 KiB, each in memory of its own. */
export function streamOf(length: number): Readable {
  let left = length;
  return new Readable({
    read() {
      const piece = Buffer.alloc(Math.min(PIECE, left), left & 255);
      left -= piece.length;
      this.push(piece.length === 0 ? null : piece);
    },
  });
}

/** Reads everything and keeps nothing; fails when it was not all. */
export async function drain(body: unknown, length: number): Promise<void> {
  let seen = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) seen += chunk.length;
  if (seen !== length) throw new Error(`${seen} bytes came back of ${length}.`);
}

export async function writeTestFile(path: string, length: number): Promise<void> {
  const file = await open(path, "w");
  const piece = Buffer.alloc(MiB, "0123456789abcdef");
  for (let position = 0; position < length; position += MiB) await file.write(piece, 0, MiB, position);
  await file.close();
}
