/** `count` bytes that count up, so that each differs from its neighbours. */
export function bytes(from: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => from + index);
}
