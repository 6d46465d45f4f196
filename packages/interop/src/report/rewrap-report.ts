import type { ClientName } from "../objects/job.js";
import type { RewrapCell } from "../objects/rewraps.js";
import { wrapOf } from "../objects/stored-object.js";
import { passed } from "../peers/verdict.js";
import { groupBy, ordinary, table } from "./report-table.js";

/** Who reads what was re-wrapped, as Markdown, the same for the same results. */
export function rewrapReport(cells: readonly RewrapCell[]): string {
  const readers = [...new Set(cells.flatMap(({ reader }) => reader ?? []))].sort();
  const rows = groupBy(cells, rowName);
  return [
    "## Re-wrapped",
    "Objects of 17 bytes by every client, whose data key ours wraps anew with another key of each kind (`rewrapObject`); and in " +
      "instruction files, by Java's `reEncryptInstructionFile`, too. Columns: who read it with the new key. " +
      `${cells.length} rewraps and gets, ${cells.filter(passed).length} of them with the expected outcome. ` +
      "`-` is a refusal; a row without any is a key that was not another one, and was refused.",
    table(
      ["", ...readers],
      [...rows].map(([name, row]) => [name, ...readers.map((reader) => outcome(row, reader))]),
    ),
    "",
  ].join("\n\n");
}

function outcome(row: readonly RewrapCell[], reader: ClientName): string {
  const own = row.filter((cell) => cell.reader === reader);
  return own.length === 0 ? "" : ordinary(own);
}

function rowName({ object, rewrapper, to }: RewrapCell): string {
  const format = object.suite === "committing" ? "V3" : wrapOf(object) === "none" ? "V1" : "V2";
  const place = object.placement === "metadata" ? "metadata" : "file";
  const target = `${to.isSame === true ? "the same " : ""}${to.keyring}${to.suffix === undefined ? "" : ` under ${to.suffix}`}`;
  return `${object.writer}: ${format} ${object.suite} ${object.keyring}, ${place}; by ${rewrapper} to ${target}`;
}
