import type { ContentKey } from "./content-key.js";
import { decryptionFailed } from "./errors.js";
import { GcmReading, type ProvenContent } from "./gcm/gcm-reading.js";
import { hashesInPieces } from "./gcm/self-check.js";

/** Bytes of ciphertext that are looked at again, and decrypted, at once when they were kept elsewhere. */
export const PROOF_PIECE_LENGTH: number = 256 * 1024;

/**
 * Proves a stored body, `ciphertext ‖ tag`, while it arrives, and makes no plaintext of it: that is made once, later, from
 * what was proven (S12).
 */
export class ContentProof {
  readonly #content: ContentKey;
  readonly #reading: GcmReading;
  readonly #inPieces: boolean;
  /** The last bytes so far, which are the tag if nothing follows. */
  #held: Uint8Array = new Uint8Array(0);

  constructor(content: ContentKey, inPieces: boolean) {
    this.#content = content;
    this.#reading = new GcmReading(content);
    this.#inPieces = inPieces;
  }

  /**
   * Takes the next bytes of the body.
   * @throws S3EncryptionError `decryption-failed` for a body longer than any
   */
  add(chunk: Uint8Array): void {
    const { tagLength, maxContentLength } = this.#content.suite;
    if (this.#reading.length + this.#held.length + chunk.length > maxContentLength + tagLength)
      throw decryptionFailed();
    if (chunk.length >= tagLength) {
      this.#hash(this.#held);
      const end = chunk.length - tagLength;
      this.#hash(chunk.subarray(0, end));
      // Copied, since a chunk may be used again by whoever gave it.
      this.#held = new Uint8Array(chunk.subarray(end));
      return;
    }
    const seen = Buffer.concat([this.#held, chunk]);
    const end = Math.max(0, seen.length - tagLength);
    this.#hash(seen.subarray(0, end));
    this.#held = seen.subarray(end);
  }

  /**
   * The way to the plaintext. To be called once, after the last byte.
   * @throws S3EncryptionError `decryption-failed` unless the tag vouches for all of them
   */
  prove(): ProvenContent {
    const proven = this.#reading.prove(this.#held);
    if (proven === undefined) throw decryptionFailed();
    return proven;
  }

  #hash(bytes: Uint8Array): void {
    if (!this.#inPieces) {
      this.#reading.add(bytes);
      return;
    }
    for (let offset = 0; offset < bytes.length; ) {
      const room = PROOF_PIECE_LENGTH - (this.#reading.length % PROOF_PIECE_LENGTH);
      const part = bytes.subarray(offset, offset + room);
      this.#reading.add(part, true);
      offset += part.length;
      if (part.length === room) this.#reading.cut();
    }
  }
}

/**
 * A proof of content that can be proven without being decrypted: undefined for CBC, which has no tag, and on a runtime
 * whose hashes are not OpenSSL's.
 *
 * @param inPieces whether the body is kept outside of our memory until it is read, in pieces of `PROOF_PIECE_LENGTH`
 */
export function contentProof(content: ContentKey, inPieces: boolean): ContentProof | undefined {
  return content.suite.cipher === "gcm" && hashesInPieces() ? new ContentProof(content, inPieces) : undefined;
}
