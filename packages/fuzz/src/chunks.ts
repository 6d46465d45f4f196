import type { Random } from "./random.js";

/** The bytes in pieces of any size, empty ones among them. */
export async function* inPieces(random: Random, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const most = random.pick([1, 16, 17, 100, 4096]);
  for (let at = 0; at < bytes.length; ) {
    const length = random.below(most + 1);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}
