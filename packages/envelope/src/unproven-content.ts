import type { Cipher } from "node:crypto";
import type { ContentKey } from "./content-key.js";
import { plaintextLength } from "./content-length.js";
import { decryptionFailed } from "./errors.js";
import { type Piece, PieceHash, verifyPieces } from "./gcm/gcm-pieces.js";
import { GcmReading } from "./gcm/gcm-reading.js";
import { cipherAt } from "./gcm/keystream.js";
import { hashesInPieces } from "./gcm/self-check.js";
import { PieceSeal } from "./piece-seal.js";

/**
 * Decrypts a stored body, `ciphertext ‖ tag`, in pieces and in any order, while it arrives, and proves all of it once. What
 * it decrypts is **unproven** until then: for a file that has no name yet and is nobody else's to read, and nothing more (S12).
 */
export class UnprovenContent {
  readonly #content: ContentKey;
  readonly #pieces: Piece[] = [];
  readonly #tag: Buffer;
  /** Bytes of plaintext, and of ciphertext without the tag. */
  readonly length: number;

  constructor(content: ContentKey, length: number) {
    this.#content = content;
    this.#tag = Buffer.alloc(content.suite.tagLength);
    this.length = length;
  }

  /**
   * The piece that begins at `offset`, to be decrypted in order.
   * @throws RangeError for a place where no piece can begin
   */
  pieceAt(offset: number): UnprovenPiece {
    return new UnprovenPiece(this.#content, offset, this.length - offset);
  }

  /** Takes a piece that has ended; each place once. */
  add(piece: Piece): void {
    this.#pieces.push(piece);
  }

  /** Takes bytes of the tag, which has its place behind the ciphertext; `offset` is in the stored body. */
  addTag(offset: number, bytes: Uint8Array): void {
    this.#tag.set(bytes, offset - this.length);
  }

  /** Seals what is known of its pieces, for a download that these random bytes name (G9). */
  sealFor(download: Uint8Array): PieceSeal {
    return new PieceSeal(this.#content, download);
  }

  /**
   * To be called once, after the last byte.
   * @throws S3EncryptionError `decryption-failed` unless the tag vouches for the pieces, which are all of the content
   */
  async prove(): Promise<void> {
    const total = this.#pieces.reduce((sum, { length }) => sum + length, 0);
    if (total !== this.length || !(await verifyPieces(this.#content, this.#pieces, this.#tag)))
      throw decryptionFailed();
  }

  /**
   * The same of content that is read back in order from where its plaintext was kept (G9), by encrypting it again.
   * @throws RangeError never of a length that a body can have (G10)
   */
  reread(): RereadContent {
    return new RereadContent(this.#content, this.length, this.#tag);
  }
}

/** A piece that is being decrypted. */
export class UnprovenPiece {
  readonly #cipher: Cipher;
  readonly #hash: PieceHash;
  #left: number;

  /** @throws RangeError for a place where no piece can begin */
  constructor(content: ContentKey, offset: number, longest: number) {
    this.#cipher = cipherAt(content, offset, longest);
    this.#hash = new PieceHash(content, offset);
    this.#left = longest;
  }

  /**
   * Plaintext of its next bytes.
   * @throws RangeError past the end of the content
   */
  decrypt(ciphertext: Uint8Array): Buffer {
    this.#take(ciphertext);
    this.#hash.add(ciphertext);
    return this.#cipher.update(ciphertext);
  }

  /**
   * The same the other way round: takes the next bytes of plaintext that was kept, and hashes what they were decrypted from.
   * @throws RangeError past the end of the content
   */
  takeBack(plaintext: Uint8Array): void {
    this.#take(plaintext);
    this.#hash.add(this.#cipher.update(plaintext));
  }

  /** What was hashed. Nothing can be added afterwards. */
  end(): Piece {
    return this.#hash.end();
  }

  #take({ length }: Uint8Array): void {
    this.#left -= length;
    if (this.#left < 0) throw new RangeError("A piece must lie within the content.");
  }
}

/** Proves plaintext that was kept outside of our memory, in order. */
export class RereadContent {
  readonly #reading: GcmReading;
  readonly #cipher: Cipher;
  readonly #length: number;
  readonly #tag: Uint8Array;

  /** @throws RangeError for a length that no content has */
  constructor(content: ContentKey, length: number, tag: Uint8Array) {
    this.#reading = new GcmReading(content);
    this.#cipher = cipherAt(content, 0, length);
    this.#length = length;
    this.#tag = tag;
  }

  /**
   * Takes the next bytes of plaintext.
   * @throws S3EncryptionError `decryption-failed` past the end of the content
   */
  add(plaintext: Uint8Array): void {
    // More than there was cannot be what was decrypted, and the keystream ends there (G10).
    if (this.#reading.length + plaintext.length > this.#length) throw decryptionFailed();
    this.#reading.add(this.#cipher.update(plaintext));
  }

  /**
   * To be called once, after the last byte.
   * @throws S3EncryptionError `decryption-failed` unless the tag vouches for all of it
   */
  prove(): void {
    if (this.#reading.length !== this.#length || this.#reading.prove(this.#tag) === undefined) throw decryptionFailed();
  }
}

/**
 * The way to decrypt content in any order: undefined for CBC, which nothing would prove, and on a runtime whose hashes are
 * not OpenSSL's (G10).
 *
 * @param storedLength bytes of the stored body
 * @throws S3EncryptionError `decryption-failed` for a length that no body has
 */
export function unprovenContent(content: ContentKey, storedLength: number): UnprovenContent | undefined {
  const length = plaintextLength(content.suite, storedLength);
  return length !== undefined && hashesInPieces() ? new UnprovenContent(content, length) : undefined;
}
