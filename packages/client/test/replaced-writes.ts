import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Written = Awaited<ReturnType<FileHandle["writev"]>>;

/** What a disk does with chunks that are written at a position; `write` does it. */
export type ReplacedWrite = (
  write: () => Promise<Written>,
  file: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
) => Promise<unknown>;

/** Lets files that are written to meanwhile do as disks do that are full, slow or broken. */
export async function withWrites(replaced: ReplacedWrite, work: () => Promise<unknown>): Promise<void> {
  const path = join(tmpdir(), `s3ec-test-${process.pid}`);
  const file = await open(path, "w");
  const prototype: { writev: (chunks: Uint8Array[], position: number) => Promise<unknown> } =
    Object.getPrototypeOf(file);
  await file.close();
  await rm(path);
  const { writev } = prototype;
  prototype.writev = function (this: FileHandle, chunks: Uint8Array[], position: number) {
    const write = async (): Promise<Written> => (await Reflect.apply(writev, this, [chunks, position])) as Written;
    return replaced(write, this, chunks, position);
  };
  try {
    await work();
  } finally {
    prototype.writev = writev;
  }
}
