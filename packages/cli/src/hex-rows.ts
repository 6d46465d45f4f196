import { printable } from "@s3ec/envelope";

/** Some stored bytes, and what they are. */
export interface HexRow {
  /** Of the first of them, in what they are a part of. */
  readonly offset: number;
  /** Absent where they are not shown. */
  readonly bytes?: Uint8Array;
  readonly length: number;
  readonly meaning: string;
}

/** Bytes of a line. */
const LINE = 16;

/** Offset in hexadecimal, bytes, and what they are, in columns; somebody else's text is made printable. */
export function hexLines(rows: readonly HexRow[]): string[] {
  return rows.flatMap(({ offset, bytes, length, meaning }) => {
    if (bytes === undefined) return [line(offset, `${length} bytes`, meaning)];
    const lines = Array.from({ length: Math.ceil(length / LINE) || 1 }, (_, index) => {
      const part = bytes.subarray(index * LINE, (index + 1) * LINE);
      return line(offset + index * LINE, Buffer.from(part).toString("hex"), index === 0 ? meaning : "");
    });
    return lines;
  });
}

function line(offset: number, bytes: string, meaning: string): string {
  return `    ${offset.toString(16).padStart(4, "0")}  ${bytes.padEnd(2 * LINE)}  ${printable(meaning)}`.trimEnd();
}

/** Rows of parts that follow each other; what the last one leaves over is it, too. */
export function rowsOf(bytes: Uint8Array, parts: readonly (readonly [meaning: string, length: number])[]): HexRow[] {
  let offset = 0;
  return parts.map(([meaning, length], index) => {
    const end = index === parts.length - 1 ? bytes.length : offset + length;
    const part = bytes.subarray(offset, end);
    const row = { offset, bytes: part, length: part.length, meaning };
    offset = end;
    return row;
  });
}
