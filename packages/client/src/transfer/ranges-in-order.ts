import { ReadAhead } from "../read/read-ahead.js";
import { type PinnedObject, takeRange, type WantedRange } from "./range-reading.js";

/** A range of the object that is read into memory, whether or not anybody asks for it yet. */
export function rangeInMemory(object: PinnedObject, wanted: WantedRange, buffer: Uint8Array): ReadAhead {
  const read = (take: (chunk: Uint8Array) => void): Promise<void> =>
    takeRange(object, wanted, (chunk) => {
      take(chunk);
      return undefined;
    });
  return new ReadAhead(read, buffer);
}

export interface Window {
  /** Bytes of one range. */
  readonly partSize: number;
  /** Ranges in flight or held at once. */
  readonly queueSize: number;
  /** Called before ranges behind the one that is there already are asked for. */
  readonly onStart: () => void;
}

/**
 * All ranges of an object from the first one on, which is there or on its way, in order. A chunk is valid until the next
 * but one is asked for: the buffers of ranges that were read serve again.
 */
export async function* rangesInOrder(
  object: PinnedObject,
  first: ReadAhead,
  { partSize, queueSize, onStart }: Window,
): AsyncGenerator<Uint8Array> {
  const parts = [first];
  const free: Uint8Array[] = [];
  let next = first.buffer.length;
  let read: ReadAhead | undefined;
  const fill = (): void => {
    onStart();
    while (next < object.length && parts.length < queueSize) {
      const last = Math.min(next + partSize, object.length) - 1;
      parts.push(
        rangeInMemory(
          object,
          { first: next, last },
          free.pop() ?? Buffer.allocUnsafeSlow(Math.min(partSize, object.length - next)),
        ),
      );
      next = last + 1;
    }
  };
  while (true) {
    const [part] = parts;
    if (part === undefined) return;
    for await (const chunk of part.chunks()) {
      yield chunk;
      // Not before a second chunk is asked for: which format an object has shows in its first one.
      fill();
    }
    parts.shift();
    // Decryption holds the last chunk until it has the one after it, so a part is over only when the next one is.
    if (read?.buffer.length === partSize) free.push(read.buffer);
    read = part;
    fill();
  }
}
