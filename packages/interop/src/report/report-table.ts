import { type Judged, passed } from "../peers/verdict.js";

/** What the reader does where no exception applies; what it does everywhere when there is nowhere else. */
export function ordinary(cells: readonly Judged[]): string {
  const plain = cells.filter(({ expected }) => expected.exception !== true);
  const seen = new Set((plain.length > 0 ? plain : cells).map(({ outcome }) => outcome));
  const [outcome] = seen;
  if (outcome === undefined) return "";
  return seen.size > 1 ? "**partly**" : { ok: "yes", refused: "-", "wrong-bytes": "wrong bytes" }[outcome];
}

/** Letters for the exceptions, in the order in which the tables show them. */
export class Notes {
  readonly #letters = new Map<string, string>();
  readonly #cells: readonly Judged[];

  constructor(cells: readonly Judged[]) {
    this.#cells = cells;
  }

  /** The letters of the exceptions among these cells, and a mark when a cell is not as expected. */
  of(cells: readonly Judged[]): string {
    const reasons = new Set(cells.filter(({ expected }) => expected.exception).map(({ expected }) => expected.reason));
    const letters = [...reasons].map((reason) => ` (${this.#letter(reason)})`).join("");
    return cells.every(passed) ? letters : `${letters} **unexpected**`;
  }

  explained(): string {
    return table(
      ["", "cells", "what happens", "why: the client"],
      [...this.#letters].map(([reason, letter]) => {
        const cells = this.#cells.filter(({ expected }) => expected.reason === reason);
        const [{ expected } = { expected: undefined }] = cells;
        return [`(${letter})`, String(cells.length), expected?.outcome ?? "", reason];
      }),
    );
  }

  #letter(reason: string): string {
    const letter = this.#letters.get(reason) ?? String.fromCharCode("a".charCodeAt(0) + this.#letters.size);
    this.#letters.set(reason, letter);
    return letter;
  }
}

/** The items by key, in the order in which the keys first occur. */
export function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

/** A Markdown table. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}
