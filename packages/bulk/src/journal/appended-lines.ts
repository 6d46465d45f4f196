import type { FileHandle } from "node:fs/promises";
import { synced } from "@s3ec/client";

/** Lines at the end of a file, each on the disk once it is said to be: what comes while others are written goes together. */
export class AppendedLines {
  readonly #file: FileHandle;
  #waiting: string[] = [];
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  /** @param file opened to append */
  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Resolves once it is on the disk. After a line that could not be written, none is. */
  append(line: string): Promise<void> {
    this.#waiting.push(line);
    this.#next ??= this.#last = this.#last.then(() => this.#write());
    return this.#next;
  }

  /** Resolves once all of them are. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #write(): Promise<void> {
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#next = undefined;
    await this.#file.appendFile(text);
    await synced(this.#file);
  }
}
