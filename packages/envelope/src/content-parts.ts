import type { ContentKey } from "./content-key.js";
import { isError, S3EncryptionError } from "./errors.js";
import type { Piece } from "./gcm/gcm-pieces.js";
import { GcmWriting, type SealedPiece } from "./gcm/gcm-writing.js";
import { hashesInPieces } from "./gcm/self-check.js";

/** Whether content can be encrypted in parts here: not on a runtime whose hashes are not OpenSSL's (G10). */
export function canSealInParts(): boolean {
  return hashesInPieces();
}

/**
 * The content of one object, encrypted part by part: in any order, each place once. Whatever would use a place for other
 * bytes ends the object for good, and nothing of it is given out any more (S18).
 */
export class ContentParts {
  readonly #content: ContentKey;
  readonly #writing: GcmWriting;
  readonly #onAbandoned: () => void;

  /**
   * @param content the key of this object and of no other one (G11)
   * @param onAbandoned told when the object has ended without becoming one: what its key was made of is to serve no other
   */
  constructor(content: ContentKey, onAbandoned: () => void = () => {}) {
    this.#content = content;
    this.#writing = new GcmWriting(content);
    this.#onAbandoned = onAbandoned;
  }

  /** Plaintext bytes of the whole at most. */
  get maxLength(): number {
    return this.#content.suite.maxContentLength;
  }

  /** Bytes that `close` gives, which are stored behind the last part. */
  get trailerLength(): number {
    return this.#content.suite.tagLength;
  }

  /**
   * Encrypts the plaintext that has its place at `offset`, for the first time: as many bytes as it has.
   *
   * @throws S3EncryptionError `content-mismatch` where any of it was encrypted before, the object was closed, or has ended
   *   (G1, G2): it has then ended; `content-too-large` past `maxLength`; `invalid-argument` for no bytes, or no place
   */
  seal(offset: number, plaintext: Uint8Array): SealedPiece {
    if (offset + plaintext.length > this.maxLength) {
      throw new S3EncryptionError(
        "content-too-large",
        `The content exceeds the ${this.maxLength} bytes that one AES-GCM message may hold; split it over several objects.`,
      );
    }
    return this.#orAbandon(() => this.#writing.encrypt(offset, plaintext));
  }

  /**
   * The same ciphertext again, of plaintext that was read a second time, if it is still the same: to be sent as it is
   * given, since nothing else was compared (G4).
   *
   * @param first what `seal` gave for this place
   * @throws S3EncryptionError `content-mismatch` for other plaintext than the first time's: the object has then ended
   */
  sealAgain(first: Piece, plaintext: Uint8Array): Buffer {
    return this.#orAbandon(() => this.#writing.encryptAgain(first, plaintext));
  }

  /** Ends the object for good, where another one would be put into its place: of a file that changed, for example. */
  abandon(): void {
    this.#writing.abandon();
    this.#onAbandoned();
  }

  #orAbandon<T>(work: () => T): T {
    try {
      return typed(work);
    } catch (error) {
      if (error instanceof S3EncryptionError && error.code === "content-mismatch") this.abandon();
      throw error;
    }
  }

  /**
   * What to store behind the last part; the same however often it is asked for. Nothing can be sealed afterwards (G1).
   *
   * @throws S3EncryptionError `content-mismatch` where a part is missing, there is none, or the object has ended
   */
  close(): Buffer {
    return typed(() => this.#writing.close());
  }
}

function typed<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isError(error)) throw error;
    throw new S3EncryptionError(error instanceof RangeError ? "invalid-argument" : "content-mismatch", error.message);
  }
}
