import type { AlgorithmSuite } from "./algorithm-suites.js";
import { plaintextLength } from "./content-length.js";
import { decryptionFailed, S3EncryptionError } from "./errors.js";

/** A caller's `Range`, in plaintext bytes: `bytes=a-b`, `bytes=a-`, `bytes=-n` (RFC 9110 14.1.2). */
export type ByteRange =
  | {
      /** Offset of the first byte. */
      readonly first: number;
      /** Offset of the last byte, inclusive. Default: the end. */
      readonly last?: number;
    }
  | {
      /** So many bytes at the end, or all where there are fewer. */
      readonly suffixLength: number;
    };

/** What to fetch for a range, and what to do with it. All in bytes. */
export interface AlignedRange {
  /** First ciphertext byte to fetch. */
  readonly fetchFirst: number;
  /** Last ciphertext byte to fetch, inclusive. */
  readonly fetchLast: number;
  /** Plaintext offset, a multiple of 16, of the first block that is decrypted. */
  readonly blockOffset: number;
  /** Plaintext bytes to drop in front. */
  readonly skip: number;
  /** Plaintext bytes to give out after those. */
  readonly take: number;
  /** CBC only: the fetched bytes end with the object's last block, which holds the padding. */
  readonly reachesEnd: boolean;
  /** Plaintext bytes of the whole object; undefined for CBC content whose length its writer did not state. */
  readonly total: number | undefined;
}

const BLOCK = 16;

/**
 * Reads a `Range` header of one range.
 * @throws S3EncryptionError `invalid-argument` for any other text
 */
export function parseByteRange(text: string): ByteRange {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(text.trim());
  const [, first = "", last = ""] = match ?? [];
  if (
    match === null ||
    (first === "" && last === "") ||
    (first !== "" && last !== "" && Number(first) > Number(last))
  ) {
    throw new S3EncryptionError(
      "invalid-argument",
      'Range must be one range of plaintext bytes: "bytes=a-b", "bytes=a-" or "bytes=-n".',
    );
  }
  if (first === "") return { suffixLength: Number(last) };
  return last === "" ? { first: Number(first) } : { first: Number(first), last: Number(last) };
}

/**
 * Maps a plaintext range onto the stored body (1.7). A suffix counts from the end of the plaintext, not of the stored
 * body (H31); for CBC, whose padding hides that end, a suffix range is refused unless the end was stated. Returns
 * undefined when the range starts past the end, which S3 answers with 416.
 *
 * @param storedLength bytes of the stored body
 * @param statedLength plaintext bytes of CBC content by its writer's word, which decryption then holds it to
 * @throws S3EncryptionError `unsupported-operation` for that suffix range, `decryption-failed` for a `storedLength` that no
 * GCM body has
 */
export function alignRange(
  suite: AlgorithmSuite,
  range: ByteRange,
  storedLength: number,
  statedLength?: number,
): AlignedRange | undefined {
  const exact = plaintextLength(suite, storedLength);
  const total = exact ?? statedLength;
  if (total === undefined && "suffixLength" in range) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "A suffix range of CBC content cannot be resolved, since its padding hides the plaintext's length; use bytes=a-b.",
    );
  }
  const length = total ?? storedLength;
  const first = "suffixLength" in range ? Math.max(0, length - range.suffixLength) : range.first;
  const end = length - 1;
  const last = "suffixLength" in range ? end : Math.min(range.last ?? end, end);
  if (first > last) return undefined;
  const blockOffset = first - (first % BLOCK);
  const blockEnd = Math.min(exact ?? storedLength, last - (last % BLOCK) + BLOCK) - 1;
  const precedingBlock = suite.cipher === "cbc" && blockOffset > 0 ? BLOCK : 0;
  return {
    fetchFirst: blockOffset - precedingBlock,
    fetchLast: blockEnd,
    blockOffset,
    skip: first - blockOffset,
    take: last - first + 1,
    reachesEnd: suite.cipher === "cbc" && blockEnd === storedLength - 1,
    total,
  };
}

/** Cuts a range out of plaintext that comes in pieces: drops `skip` bytes, then gives out `take`. */
export function rangeCutter(skip: number, take: number): (plaintext: Uint8Array) => Uint8Array {
  let [toSkip, toTake] = [skip, take];
  return (plaintext) => {
    const from = Math.min(toSkip, plaintext.length);
    const part = plaintext.subarray(from, from + toTake);
    toSkip -= from;
    toTake -= part.length;
    return part;
  };
}

/** The fetched bytes, exactly as many as `alignRange` asked for: a short answer is an error, never a short success. */
export async function* exactlyFetched(
  { fetchFirst, fetchLast }: AlignedRange,
  ciphertext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let missing = fetchLast - fetchFirst + 1;
  for await (const chunk of ciphertext) {
    missing -= chunk.length;
    if (missing < 0) throw decryptionFailed();
    yield chunk;
  }
  if (missing > 0) throw decryptionFailed();
}
