import { TransferSpeed } from "@s3ec/client";
import { humanSize } from "./human-size.js";

/** What a terminal is written to; columns as it has them. */
export interface ProgressTerminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly write: (text: string) => unknown;
}

/** Milliseconds between two drawings. */
const STEP = 100;

/** One line of a terminal that says how far everything is, in bytes of plaintext; nothing where there is no terminal. */
export class TransferProgress {
  readonly #terminal: ProgressTerminal | undefined;
  readonly #now: () => number;
  readonly #speed: TransferSpeed;
  #done = 0;
  #total = 0;
  #left = 0;
  #isWhole = false;
  #drawn = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(terminal: ProgressTerminal | undefined, now: () => number = () => performance.now()) {
    this.#terminal = terminal?.isTTY === true ? terminal : undefined;
    this.#now = now;
    this.#speed = new TransferSpeed(undefined, 0, now);
  }

  /** One more is going to be transferred. */
  expect(bytes: number): void {
    this.#total += bytes;
    this.#left += 1;
    this.#draw();
  }

  /** No more will come. */
  allExpected(): void {
    this.#isWhole = true;
  }

  advance(bytes: number): void {
    this.#done += bytes;
    this.#draw();
  }

  /** One has ended, of which so many bytes were expected and so many had come. */
  end(expected: number, came: number): void {
    this.#left -= 1;
    this.#done -= came;
    this.#total -= expected;
    // What has failed is neither; what has come is both.
    this.#done += Math.max(came, 0);
    this.#total += Math.max(came, 0);
    this.#draw();
  }

  /** To be called before anything else is printed, and at the end. */
  clear(): void {
    if (this.#isShown) this.#terminal?.write("\r\x1b[K");
    this.#isShown = false;
  }

  #draw(): void {
    const time = this.#now();
    const pace = this.#speed.at(this.#done);
    if (this.#terminal === undefined || time - this.#drawn < STEP) return;
    this.#drawn = time;
    this.#isShown = true;
    const { columns = 80 } = this.#terminal;
    this.#terminal.write(`\r${this.#text(pace.bytesPerSecond, columns - 1)}\x1b[K`);
  }

  /** What matters most stands first: what a narrow terminal has no room for is left out. */
  #text(bytesPerSecond: number | undefined, room: number): string {
    const more = this.#isWhole ? "" : "+";
    const parts = [`${humanSize(this.#done)}/${humanSize(Math.max(this.#total, this.#done))}${more}`];
    const left = Math.max(this.#total - this.#done, 0);
    if (this.#isWhole && bytesPerSecond !== undefined) parts.push(`${secondsIn(left / bytesPerSecond)} left`);
    if (bytesPerSecond !== undefined) parts.push(`${humanSize(Math.round(bytesPerSecond))}/s`);
    parts.push(`${this.#left}${more} to go`);
    return parts.reduce((text, part) => (text.length + part.length + 2 <= room ? `${text}, ${part}` : text));
  }
}

function secondsIn(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const parts = hours > 0 ? [hours, minutes, whole % 60] : [minutes, whole % 60];
  return parts.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}
