/** `count` bytes that count up from one. */
export function bytes(from: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => from + index);
}

/** Bytes that differ from each other for long stretches, so that swapped or repeated pieces show. */
export function plaintextOf(length: number): Buffer {
  const plaintext = Buffer.alloc(length);
  for (let index = 0; index < length; index++) {
    plaintext[index] = (index * 31 + (index >> 8) * 7 + (index >> 16)) & 0xff;
  }
  return plaintext;
}

/** What is read, in one piece, and what it was released in until then when reading ends in an error. */
export async function collect(chunks: AsyncIterable<Uint8Array>, released: Uint8Array[] = []): Promise<Buffer> {
  for await (const chunk of chunks) released.push(chunk);
  return Buffer.concat(released);
}
