import type { Readable } from "node:stream";
import { destroyStream } from "../streams.js";

/** Given each chunk of a body as it arrives; where it gives a promise, nothing more is handed on until it is kept. */
export type Take = (chunk: Uint8Array) => Promise<unknown> | undefined;

/** All bytes of a body, to be read once. */
export interface BodyToRead {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The same, instead of `chunks`, for who copies each chunk anyway: without gathering them before. */
  readonly read?: (take: Take) => Promise<void>;
}

/** Hands on all of a body. */
export async function readAll({ chunks, read }: BodyToRead, take: Take): Promise<void> {
  if (read !== undefined) return await read(take);
  for await (const chunk of chunks) await take(chunk);
}

/**
 * Reads a stream to its end, handing on each chunk as it arrives: without the promises that iterating costs a chunk, of
 * which there are 65,536 in a GiB that comes in TLS's records. Where `take` gives a promise, nothing more is handed on
 * until it is kept, and nothing is said of the stream's end: whoever asks for the rest must not meet what is still being taken.
 *
 * @throws what the stream failed with, or what `take` throws, which destroys the stream
 */
export function drained(stream: Readable, take: Take): Promise<void> {
  return new Promise((resolve, reject) => {
    let pending: Promise<unknown> | undefined;
    const settle = (end: () => void): void => {
      if (pending === undefined) end();
      else pending.then(end, end);
    };
    const fail = (error: unknown): void => {
      stream.off("data", onData);
      destroyStream(stream);
      settle(() => reject(error));
    };
    const onData = (chunk: Uint8Array): void => {
      try {
        const busy = take(chunk);
        if (busy === undefined) return;
        pending = busy;
        stream.pause();
        busy.then(() => {
          pending = undefined;
          stream.resume();
        }, fail);
      } catch (error) {
        fail(error);
      }
    };
    if (stream.readableEnded) return resolve();
    // Of a stream that was destroyed before, nobody would hear any more.
    if (stream.destroyed) return reject(stream.errored ?? closedEarly());
    stream.once("error", fail);
    let hasEnded = false;
    stream.once("end", () => {
      hasEnded = true;
      settle(resolve);
    });
    // An error is made for its stack, which costs more than a small body.
    stream.once("close", () => hasEnded || settle(() => reject(closedEarly())));
    stream.on("data", onData);
  });
}

function closedEarly(): Error {
  return new Error("The connection was closed before the end of the answer.");
}

/** Tells what a taker fails with, such as a disk, from a stream that breaks: no other connection mends it. */
export class Taker {
  readonly #take: Take;
  #refused: { readonly error: unknown } | undefined;

  constructor(take: Take) {
    this.#take = take;
  }

  readonly take: Take = (chunk) => {
    try {
      return this.#take(chunk)?.catch(this.#refuse);
    } catch (error) {
      return this.#refuse(error);
    }
  };

  /** @throws what the taker has failed with */
  assertTaking(): void {
    if (this.#refused !== undefined) throw this.#refused.error;
  }

  readonly #refuse = (error: unknown): never => {
    this.#refused = { error };
    throw error;
  };
}
