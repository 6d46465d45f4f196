import type { ByteRange, ContentProof, UnprovenContent } from "@s3ec/envelope";

/** Content whose key is known, and committed to where its format can. */
export interface OpenedObject {
  /** What is known of a piece once it is decrypted: that it is authentic, nothing before the end, or nothing at all. */
  readonly proves: "pieces" | "whole" | "nothing";

  /**
   * Plaintext bytes of an object of this many bytes; undefined where only its end will tell.
   *
   * @throws S3EncryptionError `decryption-failed` where no object of this format has so few bytes
   */
  plaintextLength(storedLength: number): number | undefined;

  /**
   * Proves the content without making its plaintext; `inPieces` where it is not kept in our own memory meanwhile. Absent
   * or undefined where only decrypting it tells.
   */
  proof?(inPieces: boolean): ContentProof | undefined;

  /**
   * Decrypts the content in any order and proves it once, behind its last byte: for what has no name before that. Absent or
   * undefined where it can only be decrypted in order.
   *
   * @throws S3EncryptionError `decryption-failed` where no object of this format has so few bytes
   */
  unproven?(storedLength: number): UnprovenContent | undefined;

  /**
   * Decrypts all bytes behind the head. Ends without an error only where `proves` was kept.
   *
   * @throws S3EncryptionError `decryption-failed`, while it is read
   */
  decrypt(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;

  /**
   * What to fetch for a range of plaintext. Undefined when the range starts past the end.
   *
   * @throws S3EncryptionError `legacy-disabled` or `unsupported-operation` where a part may not, or cannot, be read without
   *   the rest
   */
  range(range: ByteRange, storedLength: number): OpenedRange | undefined;
}

/** A range of an object. First and last bytes are inclusive, and counted from 0. */
export interface OpenedRange {
  /** First stored byte to fetch. */
  readonly fetchFirst: number;
  /** Last stored byte to fetch. */
  readonly fetchLast: number;
  /** First byte of plaintext that it gives. */
  readonly first: number;
  /** Last byte of plaintext that it gives. */
  readonly last: number;
  /** Whether `last` may be past the end, which is hidden until it is decrypted. */
  readonly endsEarlier: boolean;
  /** Plaintext bytes of the whole object, where the format says. */
  readonly total: number | undefined;
  /**
   * Decrypts the fetched bytes to exactly the range.
   *
   * @throws S3EncryptionError `decryption-failed`, while it is read
   */
  decrypt(fetched: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
}
