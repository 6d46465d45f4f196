import { createHmac, type Hmac, randomBytes, timingSafeEqual } from "node:crypto";
import { PROOF_PIECE_LENGTH } from "@s3ec/envelope";

/** A piece of bytes that are kept elsewhere. */
interface KeptPiece {
  readonly offset: number;
  readonly length: number;
  readonly digest: Uint8Array;
}

/**
 * Knows bytes again that were kept where others may change them: each piece by a digest under a key that never leaves this
 * process. For runtimes that cannot hash them as GCM does (G10).
 */
export class KeptPieces {
  readonly #key: Uint8Array = randomBytes(32);
  readonly #pieces: KeptPiece[] = [];
  #offset = 0;
  #length = 0;
  #digest: Hmac | undefined;

  /** Takes the next bytes, in order. */
  add(bytes: Uint8Array): void {
    for (let taken = 0; taken < bytes.length; ) {
      const part = bytes.subarray(taken, taken + PROOF_PIECE_LENGTH - this.#length);
      this.#digest ??= this.#begin(this.#offset);
      this.#digest.update(part);
      this.#length += part.length;
      taken += part.length;
      if (this.#length === PROOF_PIECE_LENGTH) this.#cut();
    }
  }

  /** All pieces, in order. To be called once, behind the last bytes. */
  end(): readonly KeptPiece[] {
    this.#cut();
    return this.#pieces;
  }

  /** Whether these are the bytes of that piece. */
  isSame({ offset, length, digest }: KeptPiece, bytes: Uint8Array): boolean {
    return bytes.length === length && timingSafeEqual(this.#begin(offset).update(bytes).digest(), digest);
  }

  #cut(): void {
    if (this.#digest === undefined) return;
    this.#pieces.push({ offset: this.#offset, length: this.#length, digest: this.#digest.digest() });
    this.#offset += this.#length;
    this.#length = 0;
    this.#digest = undefined;
  }

  /** Where a piece begins is part of it. */
  #begin(offset: number): Hmac {
    const place = Buffer.alloc(8);
    place.writeBigUInt64BE(BigInt(offset));
    return createHmac("sha256", this.#key).update(place);
  }
}
