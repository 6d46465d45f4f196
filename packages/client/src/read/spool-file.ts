import type { FileHandle } from "node:fs/promises";
import { PROOF_PIECE_LENGTH } from "@s3ec/envelope";
import { writeAll } from "../transfer/write-all.js";
import type { Take } from "./drained.js";

/** Bytes of one write or read, at most: each of them takes a turn of two threads. */
const SLAB = 4 * PROOF_PIECE_LENGTH;

/** A part of the file. */
interface Interval {
  readonly offset: number;
  readonly length: number;
}

/**
 * Ciphertext on its way to a file and back. It is copied as it comes, into two buffers that serve for all of it in both
 * directions: a new one for each piece would be garbage, of which V8 collects everything all too soon. Neither ever holds
 * plaintext (G6).
 */
export class SpoolFile {
  readonly #file: FileHandle;
  readonly #look: (ciphertext: Uint8Array) => void;
  readonly #slabs: [Uint8Array?, Uint8Array?] = [];
  /** How many slabs were filled before this one. */
  #turn = 0;
  /** Bytes in this one, and how many of them were looked at. */
  #filled = 0;
  #seen = 0;
  #position = 0;
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param file empty
   * @param look given all bytes in order before they are written, from the copy that will be: a chunk may be changed meanwhile
   *   by whoever has it, too (G5)
   */
  constructor(file: FileHandle, look: (ciphertext: Uint8Array) => void) {
    this.#file = file;
    this.#look = look;
  }

  /** Copies a chunk. Where that has to wait for the disk it gives a promise, which rejects where the disk takes no more. */
  readonly take: Take = (chunk) => {
    const rest = this.#copy(chunk);
    return this.#filled < SLAB ? undefined : this.#takeRest(rest);
  };

  /** Resolves when everything is written. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#writing;
  }

  /** Resolves when nothing is being written: to be awaited before the file is closed, whatever has happened. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#writing]);
  }

  /**
   * Parts of what was written, or of each as much as there still is, in buffers that are used again: each is valid until the
   * next one is asked for. What follows is read meanwhile. To be called once, behind the end.
   *
   * @param parts in order, each behind the one before and none longer than `PROOF_PIECE_LENGTH`
   */
  async *read(parts: readonly Interval[]): AsyncGenerator<Uint8Array> {
    const batches = inBatches(parts);
    let reading = this.#readBatch(batches, 0);
    try {
      for (const [index, batch] of batches.entries()) {
        const bytes = await reading;
        reading = this.#readBatch(batches, index + 1);
        // That it failed is told when it is its turn.
        reading.catch(() => {});
        const start = batch[0]?.offset ?? 0;
        for (const { offset, length } of batch) yield bytes.subarray(offset - start, offset - start + length);
      }
    } finally {
      // Whoever closes the file next must not find it busy.
      await Promise.allSettled([reading]);
    }
  }

  /** As much of a chunk as there is room for; gives the rest. */
  #copy(chunk: Uint8Array): Uint8Array {
    const taken = chunk.subarray(0, SLAB - this.#filled);
    this.#slab(this.#turn).set(taken, this.#filled);
    this.#filled += taken.length;
    // While the processor's cache still has them.
    if (this.#filled - this.#seen >= PROOF_PIECE_LENGTH) this.#lookAtNew();
    return chunk.subarray(taken.length);
  }

  async #takeRest(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; this.#filled === SLAB; rest = this.#copy(rest)) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#filled === 0) return;
    this.#lookAtNew();
    const slab = this.#slab(this.#turn).subarray(0, this.#filled);
    // The other slab, which is the next one's place.
    await this.#writing;
    this.#writing = writeAll(this.#file, [slab], this.#position);
    // Its failure is told by the next flush, or by the end.
    this.#writing.catch(() => {});
    this.#position += slab.length;
    this.#turn++;
    this.#filled = 0;
    this.#seen = 0;
  }

  #lookAtNew(): void {
    this.#look(this.#slab(this.#turn).subarray(this.#seen, this.#filled));
    this.#seen = this.#filled;
  }

  /** All of some parts that follow each other, or as much as there is; nothing behind the last of them. */
  async #readBatch(batches: readonly (readonly Interval[])[], index: number): Promise<Uint8Array> {
    const batch = batches[index] ?? [];
    const start = batch[0]?.offset ?? 0;
    const wanted = this.#slab(index).subarray(
      0,
      batch.reduce((sum, { length }) => sum + length, 0),
    );
    for (let filled = 0; filled < wanted.length; ) {
      const { bytesRead } = await this.#file.read(wanted, filled, wanted.length - filled, start + filled);
      if (bytesRead === 0) return wanted.subarray(0, filled);
      filled += bytesRead;
    }
    return wanted;
  }

  #slab(turn: number): Uint8Array {
    const which = turn % 2 === 0 ? 0 : 1;
    this.#slabs[which] ??= Buffer.allocUnsafeSlow(SLAB);
    return this.#slabs[which];
  }
}

/** As many parts together as a slab has room for in any case. */
function inBatches(parts: readonly Interval[]): readonly (readonly Interval[])[] {
  const most = SLAB / PROOF_PIECE_LENGTH;
  return Array.from({ length: Math.ceil(parts.length / most) }, (_, index) =>
    parts.slice(index * most, (index + 1) * most),
  );
}
