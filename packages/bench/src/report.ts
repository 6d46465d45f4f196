/** A table of measurements, as it goes into the report. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What a reader has to know to understand the numbers. */
  readonly note?: string;
}

export function markdownOf({ title, columns, rows, note }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const align = columns.map((_, index) => (index === 0 ? "---" : "---:"));
  const lines = [`## ${title}`, "", line(columns), line(align), ...rows.map(line)];
  return [...lines, "", ...(note === undefined ? [] : [note, ""])].join("\n");
}

export function megabytesPerSecond(bytes: number, seconds: number): string {
  return `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`;
}

export function ratio(value: number): string {
  return value.toFixed(2);
}

/** What stands before a section's tables, so that another run finds them. */
const marked = (name: string): string => `<!-- section: ${name} -->`;
const MARK = /^<!-- section: (\S+) -->$/m;

/** The sections of a report, with those of an earlier one that were not measured again. */
export function withSections(before: string, measured: ReadonlyMap<string, string>, order: readonly string[]): string {
  const [, ...parts] = before.split(MARK);
  const earlier = new Map<string, string>();
  for (let index = 0; index + 1 < parts.length; index += 2) {
    earlier.set(parts[index] ?? "", (parts[index + 1] ?? "").trim());
  }
  return [...order, END]
    .flatMap((name) => {
      const text = name === END ? "" : (measured.get(name)?.trim() ?? earlier.get(name));
      return text === undefined ? [] : [`${marked(name)}\n\n${text}\n`];
    })
    .join("\n");
}

/** What follows is no section. */
const END = "end";
