import { type FileHandle, open, rm } from "node:fs/promises";
import { writeAll } from "@s3ec/client";

/** A line, and what it is sorted by. */
export interface KeyedLine {
  readonly key: string;
  /** JSON. */
  readonly text: string;
}

/** Bytes of lines that are read at a time. */
const BLOCK_LENGTH = 32 * 1024;

/** Lines that stand together in the file, sorted by key. */
export interface Block {
  readonly first: string;
  readonly offset: number;
  readonly length: number;
}

/** Lines that were written together, sorted by key. */
export interface Run {
  readonly last: string;
  readonly blocks: readonly Block[];
}

/** A file of lines in sorted runs, of which the first key of each block is held. It goes with the process. */
export class SortedLines {
  readonly #path: string;
  readonly #file: FileHandle;
  #length = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<SortedLines> {
    const file = await open(path, "wx+", 0o600);
    // Where a file that is open can be removed, nothing is left by a process that is killed.
    await rm(path, { force: true }).catch(() => {});
    return new SortedLines(path, file);
  }

  /** Writes a run of lines, which are sorted. */
  async write(lines: Iterable<KeyedLine> | AsyncIterable<KeyedLine>): Promise<Run> {
    const blocks: Block[] = [];
    let texts: string[] = [];
    let [first, last] = ["", ""];
    let length = 0;
    const end = async (): Promise<void> => {
      const bytes = Buffer.from(texts.join("\n"), "utf8");
      await writeAll(this.#file, [bytes], this.#length);
      blocks.push({ first, offset: this.#length, length: bytes.length });
      this.#length += bytes.length;
      texts = [];
      length = 0;
    };
    for await (const { key, text } of lines) {
      if (texts.length === 0) first = key;
      last = key;
      texts.push(text);
      length += text.length;
      if (length >= BLOCK_LENGTH) await end();
    }
    if (texts.length > 0) await end();
    return { last, blocks };
  }

  /** The lines of a block, in their order. */
  async textsOf({ offset, length }: Block): Promise<readonly string[]> {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await this.#file.read(bytes, 0, length, offset);
    if (bytesRead < length) throw new Error("The index of the journal was cut short.");
    return bytes.toString("utf8").split("\n");
  }

  /** All lines of several runs, sorted; of one key, in the order of the runs. */
  async *merged(runs: readonly Run[]): AsyncGenerator<KeyedLine> {
    const heads: Head[] = [];
    const put = async (order: number, lines: AsyncGenerator<KeyedLine>): Promise<void> => {
      const { value: line } = await lines.next();
      if (line !== undefined) heads.splice(placeOf(heads, line.key, order), 0, { ...line, order, lines });
    };
    for (const [order, run] of runs.entries()) await put(order, this.#linesOf(run));
    for (let next = heads.pop(); next !== undefined; next = heads.pop()) {
      const { key, text, order, lines } = next;
      yield { key, text };
      await put(order, lines);
    }
  }

  /** Removes the file. */
  async close(): Promise<void> {
    await this.#file.close();
    await rm(this.#path, { force: true });
  }

  async *#linesOf({ blocks }: Run): AsyncGenerator<KeyedLine, undefined> {
    for (const block of blocks) {
      for (const text of await this.textsOf(block)) yield { key: JSON.parse(text).key, text };
    }
    return undefined;
  }
}

/** The next line of a run. */
interface Head extends KeyedLine {
  /** Of its run. */
  readonly order: number;
  readonly lines: AsyncGenerator<KeyedLine, undefined>;
}

/** Where a line stands among those that come last first. */
function placeOf(heads: readonly Head[], key: string, order: number): number {
  let [low, high] = [0, heads.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const head = heads[middle];
    const isBefore = head !== undefined && (head.key > key || (head.key === key && head.order > order));
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}
