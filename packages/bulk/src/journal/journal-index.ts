import { randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { JournalLine } from "./journal-lines.js";
import { type Block, type KeyedLine, type Run, SortedLines } from "./sorted-lines.js";

/** Characters of lines that are sorted in memory at a time. */
const RUN_LENGTH = 1024 ** 2;
/** Runs of which one is made: a block of each is in memory then. */
const MERGED_RUNS = 32;
/** Blocks that are held: keys that follow each other are mostly in the same one. */
const HELD_BLOCKS = 32;

const INFIX = ".index-";

/** Removes indexes of a journal that processes have left which were killed; to be called while no other one has it. */
export async function removeLeftIndexes(journal: string): Promise<void> {
  const [folder, start] = [dirname(journal), `${basename(journal)}${INFIX}`];
  for (const name of await readdir(folder).catch(() => [])) {
    const isIndex = name.startsWith(start) && UUID.test(name.slice(start.length));
    // One that looks at it only, without the lock, has it open still where that cannot be removed.
    if (isIndex) await rm(join(folder, name), { force: true }).catch(() => {});
  }
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?:-\d+)?$/;

/**
 * The lines of a journal by key, in a file: sorted in runs of a MiB, and these into one, of which the first key of each block is
 * held. So memory grows by a key for every 32 KiB of journal, and the objects may come in any order.
 */
export class JournalIndex {
  readonly #path: string;
  #file: SortedLines | undefined;
  #runs: Run[] = [];
  /** Of all runs, once each begins behind the one before it. */
  #blocks: readonly Block[] = [];
  #gathered: KeyedLine[] = [];
  #gatheredLength = 0;
  readonly #held = new Map<number, readonly JournalLine[]>();

  /** @param beside the journal, next to which the file is while it is used */
  constructor(beside: string) {
    this.#path = `${beside}${INFIX}${randomUUID()}`;
  }

  /** Takes a line, as JSON; all of them, before `finish`. */
  async add(key: string, text: string): Promise<void> {
    this.#gathered.push({ key, text });
    this.#gatheredLength += text.length;
    if (this.#gatheredLength >= RUN_LENGTH) await this.#writeRun();
  }

  /** To be called once, before the first question. */
  async finish(): Promise<void> {
    if (this.#gathered.length > 0) await this.#writeRun();
    // A run that went by a listing has them sorted.
    for (let pass = 1; !isSorted(this.#runs); pass++) await this.#merge(`${this.#path}-${pass}`);
    this.#blocks = this.#runs.flatMap(({ blocks }) => blocks);
  }

  /** All lines of a key, in their order. */
  async linesOf(key: string): Promise<readonly JournalLine[]> {
    const found: JournalLine[] = [];
    const blocks = this.#blocks;
    // A key's lines may begin in the block before the first one that begins with it.
    for (let index = Math.max(0, firstNotBefore(blocks, key) - 1); index < blocks.length; index++) {
      const block = blocks[index];
      if (block === undefined || block.first > key) break;
      found.push(...(await this.#linesIn(block)).filter((line) => line.key === key));
    }
    return found;
  }

  /** Removes the file. */
  async close(): Promise<void> {
    await this.#file?.close();
  }

  async #writeRun(): Promise<void> {
    this.#file ??= await SortedLines.create(this.#path);
    const lines = this.#gathered.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    this.#runs.push(await this.#file.write(lines));
    this.#gathered = [];
    this.#gatheredLength = 0;
  }

  /** Makes one run of each few. */
  async #merge(path: string): Promise<void> {
    const unmerged = this.#file;
    if (unmerged === undefined) return;
    const runs: Run[] = [];
    this.#file = await SortedLines.create(path);
    try {
      for (let start = 0; start < this.#runs.length; start += MERGED_RUNS) {
        runs.push(await this.#file.write(unmerged.merged(this.#runs.slice(start, start + MERGED_RUNS))));
      }
    } finally {
      await unmerged.close();
    }
    this.#runs = runs;
  }

  async #linesIn(block: Block): Promise<readonly JournalLine[]> {
    const held = this.#held.get(block.offset);
    if (held !== undefined) return held;
    const texts = (await this.#file?.textsOf(block)) ?? [];
    const lines = texts.map((text): JournalLine => JSON.parse(text));
    if (this.#held.size >= HELD_BLOCKS) this.#held.delete(this.#held.keys().next().value ?? 0);
    this.#held.set(block.offset, lines);
    return lines;
  }
}

/** Whether each begins behind the one before it, or with its last key: then few have to be asked for one. */
function isSorted(runs: readonly Run[]): boolean {
  return runs.every(({ blocks }, index) => index === 0 || (runs[index - 1]?.last ?? "") <= (blocks[0]?.first ?? ""));
}

/** The first block that begins with the key or behind it. */
function firstNotBefore(blocks: readonly Block[], key: string): number {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((blocks[middle]?.first ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
