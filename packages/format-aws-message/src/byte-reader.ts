/** Thrown where bytes end before what they announce. */
export class IncompleteBytes extends Error {}

/** Reads big-endian fields off the front of some bytes. What it takes are views, not copies. */
export class ByteReader {
  /** Of the next byte. */
  offset = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  #advance(length: number): number {
    const start = this.offset;
    if (start + length > this.#bytes.length) throw new IncompleteBytes();
    this.offset += length;
    return start;
  }
}
