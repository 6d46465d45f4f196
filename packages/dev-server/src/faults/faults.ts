import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type FaultMatch, type FaultTarget, strikes } from "./fault-match.js";
import { type Pause, type PauseRequest, type PauseStage, Pauses } from "./pauses.js";

/** A fault and the requests it strikes. "Body" is what an S3 request uploads, and otherwise what GetObject or KMS answers. */
export interface Fault extends FaultMatch {
  /** How many requests it strikes. Default: all, until it is removed. */
  readonly times?: number;
  /** Answers with this HTTP status instead of serving the request. */
  readonly status?: number;
  /** The error code of that answer, for example `SlowDown`. Default: what the service says for the status. */
  readonly code?: string;
  /**
   * Whether the request is performed first. `status` and `code` then replace its answer; without them the connection is
   * closed with no answer at all. Default: false, and a request that is answered an error has had no effect.
   */
  readonly performed?: boolean;
  /** Waits this many milliseconds before anything is done. */
  readonly delayMs?: number;
  /** Closes the connection after this many bytes of the body; at 0 before anything is done, whatever the operation. */
  readonly cutAfterBytes?: number;
  /** Inverts every bit of the byte at this offset of the body. */
  readonly corruptByteAt?: number;
  /** Slows the connection down to this many bytes of body per second; all requests of one connection share it. */
  readonly throttleBytesPerSecond?: number;
}

/**
 * What a throttled connection may make up for: timers wake late, by more than a piece takes at a high rate, and a real
 * connection goes on meanwhile with what its buffers hold.
 */
const MAX_LATENESS_MS = 20;

/** What goes wrong, at the wish of a test. */
export class Faults {
  #active: { readonly fault: Fault; remaining: number }[] = [];
  readonly #pauses = new Pauses();
  readonly #freeAt = new WeakMap<Socket, number>();

  /** Returns a function that removes the fault. Faults that strike the same request are combined, the latest one winning. */
  add(fault: Fault): () => void {
    const entry = { fault, remaining: fault.times ?? Number.POSITIVE_INFINITY };
    this.#active.push(entry);
    return () => {
      this.#active = this.#active.filter((other) => other !== entry);
    };
  }

  /** Holds the next request that matches, and no other, until it is released. */
  pause(request: PauseRequest): Pause {
    return this.#pauses.add(request);
  }

  /** Removes every fault, and releases every request that is held. */
  clear(): void {
    this.#active = [];
    this.#pauses.releaseAll();
  }

  /** Waits for as long as a test holds this request at this stage. */
  hold(target: FaultTarget, stage: PauseStage): Promise<void> {
    return this.#pauses.hold(target, stage);
  }

  /** The faults of one request, as one; each that strikes is used up by one. */
  take(target: FaultTarget): Fault {
    let combined: Fault = {};
    for (const entry of this.#active) {
      if (entry.remaining <= 0 || !strikes(entry.fault, target)) continue;
      entry.remaining -= 1;
      combined = { ...combined, ...entry.fault };
    }
    this.#active = this.#active.filter((entry) => entry.remaining > 0);
    return combined;
  }

  /** How many milliseconds to wait until these bytes have gone through a connection throttled to this rate. */
  delayOf(socket: Socket, bytes: number, bytesPerSecond: number, now: number = performance.now()): number {
    const start = Math.max(now - MAX_LATENESS_MS, this.#freeAt.get(socket) ?? now);
    const freeAt = start + (bytes / bytesPerSecond) * 1000;
    this.#freeAt.set(socket, freeAt);
    return Math.max(0, freeAt - now);
  }
}

/** Applies the cut and the corruption of a fault to a body that passes by in pieces. */
export class BodyFault {
  readonly #fault: Fault;
  #offset = 0;

  constructor(fault: Fault) {
    this.#fault = fault;
  }

  /** Whether nothing more of the body may pass. */
  get cut(): boolean {
    return this.#offset >= (this.#fault.cutAfterBytes ?? Number.POSITIVE_INFINITY);
  }

  /** What becomes of the next piece. */
  pass(piece: Buffer): Buffer {
    const { cutAfterBytes = Number.POSITIVE_INFINITY, corruptByteAt = -1 } = this.#fault;
    const start = this.#offset;
    const passed = piece.subarray(0, Math.min(piece.length, cutAfterBytes - start));
    this.#offset += passed.length;
    const corrupt = corruptByteAt - start;
    if (corrupt < 0 || corrupt >= passed.length) return passed;
    const copy = Buffer.from(passed);
    copy.writeUInt8(copy.readUInt8(corrupt) ^ 255, corrupt);
    return copy;
  }
}

/** Whether the fault answers, with an error, in place of the service. */
export function isAnswered({ status, code }: Fault): boolean {
  return status !== undefined || code !== undefined;
}

/** Waits as a fault asks to, but not for a client that has gone. */
export function delay(response: ServerResponse, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      response.off("close", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    response.once("close", done);
  });
}
