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
