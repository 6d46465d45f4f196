import { S3EncryptionError } from "@s3ec/materials";

/** Bytes that S3 asks of every part but the last. */
export const LEAST_PART_LENGTH: number = 5 * 1024 * 1024;

/**
 * Where each part of an object has its place, whatever order they come in. Part 1 decides the length of all; where one has
 * another, those behind it are placed only once all before them are known, and it has no place any more once one behind it
 * was placed: two parts would share keystream (G2).
 */
export class PartLayout {
  readonly #maxLength: number;
  readonly #placed = new Map<number, { readonly offset: number; readonly length: number }>();
  /** Of the first parts, as far as all are known: how many, and their bytes. */
  #known = { count: 0, length: 0 };
  #partLength: number | undefined;
  /** The first part that has not the length of part 1. */
  #unequal = Number.POSITIVE_INFINITY;
  /** The first part that is shorter than S3 takes of any but the last. */
  #small = Number.POSITIVE_INFINITY;
  #highest = 0;

  /** @param maxLength bytes of the whole */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Bytes of part 1; undefined before it was placed. */
  get partLength(): number | undefined {
    return this.#partLength;
  }

  /** How many parts there are, if they are all from 1 on; undefined where there is a gap, or none. */
  get count(): number | undefined {
    const { count } = this.#known;
    return count > 0 && count === this.#placed.size ? count : undefined;
  }

  /** Bytes of those. */
  get length(): number {
    return this.#known.length;
  }

  /**
   * The place of a part that has none yet: what is in front of it, in bytes. Undefined for one that has to wait until others
   * are placed.
   *
   * @throws S3EncryptionError `content-mismatch` where it can have none any more, which ends the object;
   *   `invalid-argument` and `content-too-large` for what S3, or the cipher, does not take
   */
  place(number: number, length: number): number | undefined {
    const offset = this.#offsetOf(number);
    if (offset === undefined) return undefined;
    const partLength = this.#partLength ?? length;
    if (length !== partLength && number < this.#highest) {
      throw new S3EncryptionError(
        "content-mismatch",
        `Part ${number} has ${length} bytes and part 1 has ${partLength}, while a part behind it was encrypted in its place already: two parts would share keystream.`,
      );
    }
    if (number > this.#small) {
      throw new S3EncryptionError(
        "invalid-argument",
        `Part ${this.#small} has less than ${LEAST_PART_LENGTH} bytes, which S3 takes of the last part only: part ${number} cannot come behind it.`,
      );
    }
    if (offset + length > this.#maxLength) {
      throw new S3EncryptionError(
        "content-too-large",
        `Part ${number} would reach past the ${this.#maxLength} bytes that one object can be encrypted to; split it over several objects.`,
      );
    }
    this.#partLength = partLength;
    this.#placed.set(number, { offset, length });
    this.#highest = Math.max(this.#highest, number);
    if (length !== partLength) this.#unequal = Math.min(this.#unequal, number);
    if (length < LEAST_PART_LENGTH) this.#small = Math.min(this.#small, number);
    this.#countKnown();
    return offset;
  }

  #offsetOf(number: number): number | undefined {
    const { count, length } = this.#known;
    if (number === count + 1) return length;
    if (this.#partLength === undefined || number > this.#unequal) return undefined;
    return (number - 1) * this.#partLength;
  }

  #countKnown(): void {
    let { count, length } = this.#known;
    for (let next = this.#placed.get(count + 1); next !== undefined; next = this.#placed.get(count + 1)) {
      count += 1;
      length += next.length;
    }
    this.#known = { count, length };
  }
}
