import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import type { ContentKey } from "./content-key.js";
import type { Piece } from "./gcm/gcm-pieces.js";

const NONCE = 12;
const TAG = 16;
const HASH = 16;
const INFO = "s3ec download pieces v1";
const OPTIONS = { authTagLength: TAG } as const;

/** Bytes of a sealed piece: its offset, a nonce, its length and hash, a tag. */
const SEALED_PIECE = 8 + NONCE + 4 + HASH + TAG;
/** What is sealed in front of all pieces has a number that none of them has. */
const IDENTITY = -1;

/**
 * Seals what is known of a download's pieces, so that it can lie on a disk meanwhile (G9): their hashes are secret for ever
 * (see `Ghash`). The key takes the content key, so that only who can read the object opens them, and whatever was sealed
 * under another envelope does not open.
 */
export class PieceSeal {
  /** Bytes of a sealed piece. */
  static readonly pieceLength: number = SEALED_PIECE;
  readonly #key: KeyObject;
  readonly #download: Uint8Array;

  /** @param download random bytes that name it: what was sealed for another download does not open */
  constructor(content: ContentKey, download: Uint8Array) {
    const bytes = new Uint8Array(hkdfSync("sha512", content.key, content.iv, INFO, 32));
    this.#key = createSecretKey(bytes);
    bytes.fill(0);
    this.#download = download;
  }

  /**
   * Seals a piece that is written.
   * @param number of the record: in another place it does not open
   */
  sealPiece(number: number, { offset, length, hash }: Piece): Buffer {
    const payload = Buffer.alloc(4 + HASH);
    payload.writeUInt32BE(length, 0);
    payload.set(hash, 4);
    return Buffer.concat([uint64(offset), this.#seal(number, offset, payload)]);
  }

  /** Undefined unless it was sealed with this number, for this download. */
  openPiece(number: number, sealed: Uint8Array): Piece | undefined {
    if (sealed.length !== SEALED_PIECE) return undefined;
    const offset = Number(Buffer.from(sealed).readBigUInt64BE(0));
    const payload = this.#open(number, offset, sealed.subarray(8));
    if (payload === undefined) return undefined;
    return Object.freeze({ offset, length: payload.readUInt32BE(0), hash: payload.subarray(4) });
  }

  /** Seals what else must be the same. */
  sealIdentity(identity: Uint8Array): Buffer {
    return this.#seal(IDENTITY, 0, identity);
  }

  /** Undefined unless it was sealed so, under this very envelope and for this download. */
  openIdentity(sealed: Uint8Array): Buffer | undefined {
    return this.#open(IDENTITY, 0, sealed);
  }

  #seal(number: number, offset: number, payload: Uint8Array): Buffer {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce, OPTIONS);
    cipher.setAAD(this.#aad(number, offset));
    const sealed = cipher.update(payload);
    cipher.final();
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]);
  }

  #open(number: number, offset: number, sealed: Uint8Array): Buffer | undefined {
    if (sealed.length < NONCE + TAG) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, sealed.subarray(0, NONCE), OPTIONS);
    decipher.setAAD(this.#aad(number, offset));
    decipher.setAuthTag(sealed.subarray(-TAG));
    const payload = decipher.update(sealed.subarray(NONCE, -TAG));
    try {
      decipher.final();
      return payload;
    } catch {
      return undefined;
    }
  }

  #aad(number: number, offset: number): Buffer {
    const numbered = Buffer.alloc(8);
    numbered.writeBigInt64BE(BigInt(number));
    return Buffer.concat([numbered, uint64(offset), this.#download]);
  }
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
