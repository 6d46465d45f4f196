import fc from "fast-check";

/** Sizes at which streaming code goes wrong: none, around a block and a tag, around a stream's usual chunk, and large. */
export const SIZES: readonly number[] = [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 1_048_576];

/** Every way to hand over the same bytes. Byte by byte only what is small enough for it. */
export function ways(bytes: Uint8Array): [way: string, chunks: Uint8Array[]][] {
  const all: [string, Uint8Array[]][] = [
    ["buffered", [bytes]],
    ["in chunks of 4096", cut(bytes, 4096)],
    ["in chunks of 1021", cut(bytes, 1021)],
    ["between empty chunks", cut(bytes, 30_000).flatMap((chunk) => [new Uint8Array(0), chunk, new Uint8Array(0)])],
    ["with the last 16 bytes split", [bytes.subarray(0, -9), bytes.subarray(-9, -2), bytes.subarray(-2)]],
  ];
  return bytes.length > 70_000 ? all : [...all, ["byte by byte", cut(bytes, 1)]];
}

/** The bytes in pieces of `size`, the last one shorter. */
export function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

/** Random bytes in random pieces. */
export function anyChunks(maxLength: number): fc.Arbitrary<Uint8Array[]> {
  return fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: Math.ceil(maxLength / 20) });
}

export async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
