import type { FileHandle } from "node:fs/promises";

/** Writes all of it at its place: a disk that fills up takes what it can first, and the rest then fails with the reason. */
export async function writeAll(file: FileHandle, chunks: readonly Uint8Array[], start: number): Promise<void> {
  let position = start;
  for (let left = chunks; left.length > 0; ) {
    const { bytesWritten } = await file.writev(left, position);
    position += bytesWritten;
    left = behind(left, bytesWritten);
  }
}

function behind(chunks: readonly Uint8Array[], length: number): readonly Uint8Array[] {
  let toSkip = length;
  return chunks.flatMap((chunk) => {
    const rest = chunk.subarray(Math.min(toSkip, chunk.length));
    toSkip -= chunk.length - rest.length;
    return rest.length > 0 ? [rest] : [];
  });
}
