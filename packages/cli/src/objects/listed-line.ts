import type { AuditedObject, StoredObject } from "@s3ec/bulk";
import { printable } from "@s3ec/envelope";
import { humanSize } from "./human-size.js";

/** How sure a size is: told by a HEAD, of what this client wrote, or not at all. */
type SizeIs = "exact" | "if-encrypted-by-us" | "unknown";

/** An object with the size of what it was encrypted from. */
export interface SizedObject extends StoredObject {
  readonly size?: number;
  readonly sizeIs: SizeIs;
  readonly audited?: AuditedObject;
}

export interface LineOptions {
  readonly humanReadable?: boolean;
  /** The whole key, and not what it has after its last slash. */
  readonly recursive?: boolean;
  readonly long?: boolean;
}

/** What stands for all that begins so, as `aws s3 ls` prints it. */
export function prefixLine(prefix: string): string {
  const name = prefix.split("/").at(-2) ?? "";
  return `${"PRE".padStart(30)} ${printable(name)}/`;
}

/** An object, as `aws s3 ls` prints it. */
export function objectLine(object: SizedObject, options: LineOptions): string {
  const { Key, LastModified, size, audited } = object;
  const { humanReadable = false, recursive = false, long = false } = options;
  const shown = size === undefined ? "?" : humanReadable ? humanSize(size) : String(size);
  const name = recursive ? Key : Key.slice(Key.lastIndexOf("/") + 1);
  const how = long && audited !== undefined ? `${howEncrypted(audited).padEnd(HOW)} ` : "";
  return `${timeIn(LastModified)} ${shown.padStart(10)} ${how}${printable(name)}`;
}

/** A bucket, as `aws s3 ls` prints it. */
export function bucketLine(name: string, created: Date | undefined): string {
  return `${timeIn(created)} ${printable(name)}`;
}

/** What `--summarize` says, as `aws s3 ls` does. */
export function summaryLines(objects: number, bytes: number, humanReadable = false): string {
  const size = humanReadable ? humanSize(bytes) : String(bytes);
  return `\nTotal Objects: ${objects}\n   Total Size: ${size}`;
}

/** Characters that are enough for most. */
const HOW = 24;

function howEncrypted({ state, format, wraps }: AuditedObject): string {
  if (state !== "encrypted") return state;
  const names = [...new Set(wraps.map(({ wrapAlgorithm }) => wrapAlgorithm))];
  return [format, ...names].filter((part) => part !== undefined).join(" ");
}

/** In this machine's time zone. */
function timeIn(time: Date | undefined): string {
  if (time === undefined) return " ".repeat(19);
  const two = (part: number): string => String(part).padStart(2, "0");
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}
