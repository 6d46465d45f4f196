import type { ContentParts, Piece } from "@s3ec/envelope";
import { NOTHING } from "../streams.js";
import type { PartwiseObject } from "../write/seal-object.js";
import { piecesToSend } from "../write/sent-body.js";
import type { ObjectToSend, Part } from "./parts-to-send.js";
import type { SourceFile } from "./source-file.js";

/** Bytes that are read, encrypted, compared and sent at once: all that a request holds in memory, however large its part. */
const PIECE = 1024 * 1024;

/** An object whose content is a file, read in the places that are being sent. */
export function fileToSend(file: SourceFile, { input, siblings, telemetry, parts }: PartwiseObject): ObjectToSend {
  const content = new FileContent(file, parts);
  return {
    input,
    siblings,
    telemetry,
    length: content.length,
    overhead: parts.trailerLength,
    holdsParts: false,
    parts: (partSize) => content.parts(partSize),
    assertUnchanged: () => file.assertUnchanged(),
    beforeComplete: async () => {},
    abandon: () => parts.abandon(),
    destroy: () => content.stop(),
  };
}

/**
 * A file's ciphertext at any place and as often as it is asked for. Each piece is read whole, encrypted, and hashed; one that
 * was made before is compared with that, and exactly the ciphertext that was compared is given out (S18, G4).
 */
class FileContent {
  readonly #file: SourceFile;
  readonly #parts: ContentParts;
  /** What each piece was when it was encrypted first, by its offset. */
  readonly #pieces = new Map<number, Piece>();
  readonly #buffers: Buffer[] = [];
  /** Told whenever a piece was encrypted first, by those who wait for what is in front of them. */
  readonly #beginnings = new Set<Beginning>();

  constructor(file: SourceFile, parts: ContentParts) {
    this.#file = file;
    this.#parts = parts;
  }

  /** Nothing waits any more for what will not be sealed. */
  stop(): void {
    for (const beginning of this.#beginnings) beginning.stop(new Error("The upload has ended."));
  }

  /** Stored bytes. */
  get length(): number {
    return this.#file.length + this.#parts.trailerLength;
  }

  async *parts(partSize: number): AsyncGenerator<Part> {
    const count = Math.ceil(this.length / partSize);
    for (let number = 1; number <= count; number++) {
      const first = (number - 1) * partSize;
      const end = Math.min(first + partSize, this.length);
      // Of the tag, or of some of it: it is known once all of the file was encrypted. A request that waited for that would
      // keep a connection from the parts that it waits for, or be ended for being idle.
      const beginning = end > this.#file.length ? this.#beginningOf(Math.min(first, this.#file.length)) : undefined;
      yield {
        number,
        offset: first,
        length: end - first,
        isLast: number === count,
        ready: async () => await beginning?.isSealed,
        bytes: () => piecesToSend(this.#bytes(first, end)),
      };
    }
  }

  async *#bytes(first: number, end: number): AsyncGenerator<Uint8Array> {
    const { length } = this.#file;
    const ofFile = Math.min(end, length);
    let reading = this.#read(first, ofFile);
    try {
      for (let offset = first; offset < ofFile; ) {
        const { plaintext, buffer } = await reading;
        const ciphertext = this.#seal(offset, plaintext);
        this.#buffers.push(buffer);
        offset += plaintext.length;
        // What follows is read while this is being sent; that it failed is told when it is its turn.
        reading = this.#read(offset, ofFile);
        reading.catch(NOTHING);
        yield ciphertext;
      }
    } finally {
      reading.then(({ buffer }) => this.#buffers.push(buffer), NOTHING);
    }
    if (end <= length) return;
    yield this.#parts.close().subarray(Math.max(0, first - length), end - length);
  }

  #beginningOf(end: number): Beginning {
    const beginning = new Beginning(end);
    for (const [offset, { length }] of this.#pieces) beginning.sealed(offset, length);
    this.#beginnings.add(beginning);
    return beginning;
  }

  /** Plaintext only ever gets into buffers that never leave, and ciphertext into fresh ones (G6). */
  async #read(offset: number, end: number): Promise<{ plaintext: Buffer; buffer: Buffer }> {
    const buffer = this.#buffers.pop() ?? Buffer.allocUnsafeSlow(PIECE);
    const plaintext = buffer.subarray(0, Math.max(0, Math.min(PIECE, end - offset)));
    await this.#file.read(plaintext, offset);
    return { plaintext, buffer };
  }

  #seal(offset: number, plaintext: Buffer): Buffer {
    const first = this.#pieces.get(offset);
    if (first !== undefined) {
      try {
        return this.#parts.sealAgain(first, plaintext);
      } catch (error) {
        throw this.#file.changed(error);
      }
    }
    const { ciphertext, piece } = this.#parts.seal(offset, plaintext);
    this.#pieces.set(offset, piece);
    for (const beginning of this.#beginnings) beginning.sealed(offset, plaintext.length);
    return ciphertext;
  }
}

/** All of a file in front of one of its parts: pieces of it are encrypted in any order, each once. */
class Beginning {
  /** Rejects where it never will be. */
  readonly isSealed: Promise<void>;
  readonly #end: number;
  #left: number;
  #onSealed = NOTHING;
  #onStopped: (reason: Error) => void = NOTHING;

  constructor(end: number) {
    this.#end = end;
    this.#left = end;
    this.isSealed = new Promise((resolve, reject) => {
      this.#onSealed = resolve;
      this.#onStopped = reject;
    });
    // Whoever waits for it is told; nobody has to.
    this.isSealed.catch(NOTHING);
    this.sealed(0, 0);
  }

  sealed(offset: number, length: number): void {
    if (offset < this.#end) this.#left -= length;
    if (this.#left === 0) this.#onSealed();
  }

  stop(reason: Error): void {
    this.#onStopped(reason);
  }
}
