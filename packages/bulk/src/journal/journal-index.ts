import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import type { JournalLine } from "./journal-lines.js";

/** Bytes of lines that are sorted in memory at a time, and that are read at a time. */
const RUN_LENGTH = 1024 ** 2;
const BLOCK_LENGTH = 32 * 1024;
/** Blocks that are held: keys that follow each other are mostly in the same one. */
const HELD_BLOCKS = 256;

/** Lines that stand together in the file, sorted by key. */
interface Block {
  readonly first: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * The lines of a journal by key, in a file: sorted in runs of a MiB, of which the first key of each block is held. So memory grows
 * by a key for every 32 KiB of journal, and the objects may come in any order.
 */
export class JournalIndex {
  readonly #path: string;
  #file: FileHandle | undefined;
  #length = 0;
  readonly #runs: { readonly last: string; readonly blocks: readonly Block[] }[] = [];
  #gathered: { readonly key: string; readonly text: string }[] = [];
  #gatheredLength = 0;
  readonly #held = new Map<number, readonly JournalLine[]>();

  /** @param beside the journal, next to which the file is while it is used */
  constructor(beside: string) {
    this.#path = `${beside}.index-${randomUUID()}`;
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
  }

  /** All lines of a key, in their order. */
  async linesOf(key: string): Promise<readonly JournalLine[]> {
    const found: JournalLine[] = [];
    for (const { last, blocks } of this.#runs) {
      if (key > last) continue;
      // A key's lines may begin in the block before the first one that begins with it.
      for (let index = Math.max(0, firstNotBefore(blocks, key) - 1); index < blocks.length; index++) {
        const block = blocks[index];
        if (block === undefined || block.first > key) break;
        found.push(...(await this.#linesIn(block)).filter((line) => line.key === key));
      }
    }
    return found;
  }

  /** Removes the file. */
  async close(): Promise<void> {
    await this.#file?.close();
    await rm(this.#path, { force: true });
  }

  async #writeRun(): Promise<void> {
    if (this.#file === undefined) {
      this.#file = await open(this.#path, "wx+", 0o600);
      // Where a file that is open can be removed, nothing is left by a process that is killed.
      await rm(this.#path, { force: true }).catch(() => {});
    }
    const lines = this.#gathered.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const blocks: Block[] = [];
    let texts: string[] = [];
    let first = "";
    let length = 0;
    const write = async (): Promise<void> => {
      const bytes = Buffer.from(texts.join("\n"), "utf8");
      await this.#file?.write(bytes, 0, bytes.length, this.#length);
      blocks.push({ first, offset: this.#length, length: bytes.length });
      this.#length += bytes.length;
      texts = [];
      length = 0;
    };
    for (const { key, text } of lines) {
      if (texts.length === 0) first = key;
      texts.push(text);
      length += text.length;
      if (length >= BLOCK_LENGTH) await write();
    }
    if (texts.length > 0) await write();
    this.#runs.push({ last: lines.at(-1)?.key ?? "", blocks });
    this.#gathered = [];
    this.#gatheredLength = 0;
  }

  async #linesIn({ offset, length }: Block): Promise<readonly JournalLine[]> {
    const held = this.#held.get(offset);
    if (held !== undefined) return held;
    const bytes = Buffer.alloc(length);
    await this.#file?.read(bytes, 0, length, offset);
    const lines = bytes
      .toString("utf8")
      .split("\n")
      .map((text): JournalLine => JSON.parse(text));
    if (this.#held.size >= HELD_BLOCKS) this.#held.delete(this.#held.keys().next().value ?? 0);
    this.#held.set(offset, lines);
    return lines;
  }
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
