import { type FileHandle, open } from "node:fs/promises";

/** Has every write to a file take a half of what it is given, as a full disk or a signal may; returns what ends that. */
export async function shortWrites(path: string): Promise<() => void> {
  const any = await open(path, "r");
  const prototype = Object.getPrototypeOf(any) as FileHandle;
  await any.close();
  const { write, writev } = prototype as unknown as Record<string, (...given: unknown[]) => unknown>;
  const half = (length: number): number => Math.ceil(length / 2);
  const short = {
    write(this: FileHandle, bytes: Uint8Array, offset: number, length: number, position: number) {
      return write?.call(this, bytes, offset, half(length), position);
    },
    writev(this: FileHandle, [first = new Uint8Array(0)]: readonly Uint8Array[], position?: number) {
      return writev?.call(this, [first.subarray(0, half(first.length))], position);
    },
  };
  Object.assign(prototype, short);
  return () => Object.assign(prototype, { write, writev });
}
