import { type CipherGCM, createCipheriv } from "node:crypto";
import { BLOCK, type GcmParameters, keyBits, xor } from "./gcm-parameters.js";

const ZEROS = Buffer.alloc(1024 * 1024);

/**
 * GHASH without an output: OpenSSL's AES-GCM, fed with nothing but additional data. Write H for the hash key, P(x) for
 * GHASH's polynomial of x's padded blocks, L for a length block (SP 800-38D 6.4); what is added as x ends in
 *
 *     E(J0) ^ P(x)·H ^ L(|x|, 0)·H
 *
 * Ends of it, and every sum of two of them, are secret for ever: with the ciphertext, which is public, they give H, and
 * with H whoever likes forges this message.
 */
export class Ghash {
  readonly #cipher: CipherGCM;
  #length = 0;

  constructor(parameters: GcmParameters) {
    const name = `aes-${keyBits(parameters)}-gcm` as const;
    this.#cipher = createCipheriv(name, parameters.key, parameters.iv, { authTagLength: BLOCK });
  }

  /** Bytes added. */
  get length(): number {
    return this.#length;
  }

  add(bytes: Uint8Array): this {
    // OpenSSL takes an empty one for a missing one.
    if (bytes.length > 0) this.#cipher.setAAD(bytes);
    this.#length += bytes.length;
    return this;
  }

  addZeros(count: number): this {
    for (let left = count; left > 0; left -= ZEROS.length) this.add(ZEROS.subarray(0, left));
    return this;
  }

  /** Nothing can be added afterwards. */
  end(): Buffer {
    this.#cipher.final();
    return this.#cipher.getAuthTag();
  }
}

/** E(J0), which masks the tag of this message: what a hash of nothing ends in. Secret, as `Ghash` says. */
export function tagMask(parameters: GcmParameters): Buffer {
  return new Ghash(parameters).end();
}

/**
 * Ends of hashes of zeros, E(J0) ^ L(n, 0)·H, of the lengths that recur, such as that of a part. Each costs as much as
 * hashing that many bytes does.
 */
export class ZeroHashes {
  readonly #parameters: GcmParameters;
  readonly #known = new Map<number, Buffer>();

  constructor(parameters: GcmParameters) {
    this.#parameters = parameters;
  }

  of(length: number): Buffer {
    const known = this.#known.get(length);
    if (known !== undefined) return known;
    const end = new Ghash(this.#parameters).addZeros(length).end();
    // Bounded: an object's parts have few lengths, but nobody promises it.
    if (this.#known.size >= 64) this.#known.clear();
    this.#known.set(length, end);
    return end;
  }

  /** P(x)·H, from the end of a hash of x, `length` bytes. */
  polynomial(end: Uint8Array, length: number): Buffer {
    return xor(end, this.of(length));
  }
}
