import type { Handle } from "./cryptoki.js";
import { returnValue } from "./token-errors.js";

export interface SessionPoolOptions {
  /** An open session. */
  readonly first: Handle;
  readonly open: () => Handle;
  readonly close: (session: Handle) => void;
  /** Sessions open at a time, 1 or more. */
  readonly limit: number;
}

/** Lends each session to one operation at a time; whoever finds none waits for its turn. */
export class SessionPool {
  readonly #open: () => Handle;
  readonly #close: (session: Handle) => void;
  readonly #idle: Handle[];
  readonly #waiting: ((session: Handle | undefined) => void)[] = [];
  #limit: number;
  #opened = 1;
  #lent = 0;
  #isRetired = false;
  #drained: (() => void) | undefined;

  constructor({ first, open, close, limit }: SessionPoolOptions) {
    this.#open = open;
    this.#close = close;
    this.#idle = [first];
    this.#limit = limit;
  }

  /** A session to give back, or undefined once the pool is retired. */
  async take(): Promise<Handle | undefined> {
    if (this.#isRetired) return undefined;
    const session = this.#idle.pop() ?? this.#openAnother();
    if (session === undefined) return await new Promise((resolve) => this.#waiting.push(resolve));
    this.#lent++;
    return session;
  }

  give(session: Handle): void {
    const next = this.#isRetired ? undefined : this.#waiting.shift();
    if (next !== undefined) {
      next(session);
      return;
    }
    this.#lent--;
    if (this.#isRetired) this.#close(session);
    else this.#idle.push(session);
    if (this.#isRetired && this.#lent === 0) this.#drained?.();
  }

  /** Closes idle sessions now and lent ones when they come back; sends those who wait away. */
  retire(): void {
    this.#isRetired = true;
    for (const session of this.#idle.splice(0)) this.#close(session);
    for (const next of this.#waiting.splice(0)) next(undefined);
  }

  /** Retires, and waits until every session is closed. */
  async drain(): Promise<void> {
    this.retire();
    if (this.#lent > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  #openAnother(): Handle | undefined {
    if (this.#opened >= this.#limit) return undefined;
    try {
      const session = this.#open();
      this.#opened++;
      return session;
    } catch (error) {
      if (returnValue(error) !== "CKR_SESSION_COUNT") throw error;
      // The token allows fewer than we do.
      this.#limit = this.#opened;
      return undefined;
    }
  }
}
