import { setImmediate as otherThings } from "node:timers/promises";
import type { SealedObject } from "./seal-object.js";

/** Ciphertext up to this many bytes is buffered, so that the SDK can send it again; it never does with a stream. */
const BUFFERED_LENGTH = 8 * 1024 * 1024;
/** The same where the caller holds as much in memory anyway: up to what every Node.js can hold, and write to a socket, at once. */
const IN_MEMORY_BUFFERED_LENGTH = 2 ** 31 - 1;
/** Encrypting what is in memory waits for nothing, so that timers, requests and an abort would wait for all of it. */
const TURN = 16 * 1024 * 1024;

/** The beginning of an object's ciphertext, or the whole of it. */
export interface CiphertextHead {
  readonly chunks: readonly Uint8Array[];
  /** All of it in one piece, where it was to be buffered. */
  readonly whole: Uint8Array | undefined;
}

/**
 * Reads ahead as far as a body may be buffered; a body that is known to be longer is not read at all. What is kept, and
 * sent again, is the ciphertext: made once (S18), whatever becomes of the caller's buffer.
 */
export async function readHead({ ciphertext, length, isInMemory }: SealedObject): Promise<CiphertextHead> {
  const most = isInMemory ? IN_MEMORY_BUFFERED_LENGTH : BUFFERED_LENGTH;
  if (length !== undefined && length > most) return { chunks: [], whole: undefined };
  // Of a known length, nothing has to be held twice.
  const buffer = length === undefined ? undefined : Buffer.allocUnsafe(length);
  const chunks: Uint8Array[] = [];
  let read = 0;
  for (let turn = TURN; read <= most; ) {
    const { done, value } = await ciphertext.next();
    if (done === true) return { chunks: [], whole: buffer?.subarray(0, read) ?? Buffer.concat(chunks, read) };
    if (buffer === undefined) chunks.push(value);
    else buffer.set(value, read);
    read += value.length;
    if (read < turn) continue;
    turn = read + TURN;
    await otherThings();
  }
  return { chunks, whole: undefined };
}

/** Everything: what was read ahead, and the rest; `onEnd` is told before the last of it can have been sent. */
export async function* chunksOf(
  head: CiphertextHead,
  { ciphertext, length }: SealedObject,
  onEnd: () => void,
): AsyncGenerator<Uint8Array> {
  let taken = 0;
  const all = async function* (): AsyncGenerator<Uint8Array> {
    yield* head.chunks;
    yield* ciphertext;
  };
  for await (const chunk of all()) {
    taken += chunk.length;
    if (taken === length) onEnd();
    yield chunk;
  }
  onEnd();
}
