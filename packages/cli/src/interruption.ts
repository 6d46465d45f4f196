import { setMaxListeners } from "node:events";
import { setTimeout } from "node:timers/promises";
import { EXIT_CODES } from "./exit-codes.js";

/** What is sent to end it, by hand or by a terminal that goes. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

type Signal = (typeof SIGNALS)[number];

const OUTCOMES = {
  clean: "Interrupted; nothing was left behind.",
  some: "Interrupted. Some of it may be done; nothing was left behind of the rest.",
  left: "Interrupted.",
  done: "Interrupted, when the transfer was complete already.",
  kept: "Interrupted. What was sent is kept: the same command goes on with it, and --discard removes it.",
  unknown:
    "Interrupted while something did not answer: whether S3 did what it was asked for last is not known, and parts of an upload may be left.",
} as const;

/** A signal asked for the end. */
export class Interruption extends Error {
  readonly exitCode: number;

  constructor(signal: Signal, outcome: keyof typeof OUTCOMES) {
    super(OUTCOMES[outcome]);
    this.exitCode = signal === "SIGINT" ? EXIT_CODES.interrupted : EXIT_CODES.terminated;
  }
}

/** Milliseconds in which a transfer removes what it began, before whatever does not answer is left to itself. */
const CLEANING_UP = 3_000;

/** Ends a command when the process is told to, whatever it is waiting for. */
export class Interrupts {
  readonly #aborting = new AbortController();
  readonly #ended: Promise<never>;
  #end: (interruption: Interruption) => void = () => {};
  readonly #onSignal = (signal: Signal): void => void this.#interrupt(signal);
  #transfer: Promise<keyof typeof OUTCOMES> = Promise.resolve("clean");
  /** What a transfer that failed has left on purpose, in a sentence. */
  left: string | undefined;

  constructor() {
    // Each of many transfers listens.
    setMaxListeners(0, this.#aborting.signal);
    this.#ended = new Promise((_, reject) => {
      this.#end = reject;
    });
    this.#ended.catch(() => {});
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  /**
   * What would leave something behind if it did not get the time to undo it; it has to listen to the signal.
   *
   * @param ending what is to be said of one that did not end well: `some` is of many, `kept` of one that can be gone on with
   */
  transfer<T>(
    work: () => Promise<T>,
    ending: () => Promise<"clean" | "some" | "kept"> = async () => "clean",
  ): Promise<T> {
    this.signal.throwIfAborted();
    const transfer = work();
    this.#transfer = transfer.then(
      () => "done",
      async () => (this.left !== undefined ? "left" : await ending()),
    );
    // The command must not end with the error before it is known what has become of the transfer.
    return transfer.finally(() => this.#transfer);
  }

  /** Rejects with an `Interruption` when a signal comes first. */
  race<T>(command: Promise<T>): Promise<T> {
    return Promise.race([command, this.#ended]);
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  async #interrupt(signal: Signal): Promise<void> {
    // Whoever asks twice does not want to wait.
    if (this.signal.aborted) return this.#end(new Interruption(signal, "unknown"));
    this.#aborting.abort(new Interruption(signal, "clean"));
    const settled = new AbortController();
    const late = setTimeout(CLEANING_UP, "unknown" as const, { signal: settled.signal }).catch(
      () => "unknown" as const,
    );
    this.#end(new Interruption(signal, await Promise.race([this.#transfer, late])));
    settled.abort();
  }
}
