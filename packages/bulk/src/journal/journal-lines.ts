import { crc32 } from "node:zlib";

/** What a run is: a journal of another one says nothing of it. */
export interface JournalRun {
  readonly command: "rewrap" | "migrate" | "recipients add" | "recipients remove";
  readonly bucket: string;
  /** What wraps from then on, and how, as the caller names it. */
  readonly target: string;
}

/** An envelope that was about to be written. */
export interface Intent {
  readonly key: string;
  readonly intent: string;
  /** Where its wrapped key was to go. */
  readonly place: string;
  /** Of an object that was to be written anew: hashes of the wraps beside it, by place. */
  readonly beside?: Readonly<Record<string, string>>;
  /** What was to describe it for audits: no key, and nothing of the content. */
  readonly describes?: string;
  /** And the files of the object before that were to go then. */
  readonly removes?: readonly { readonly key: string; readonly etag: string }[];
}

/** An object that was done, and how it looked then. */
export interface Done {
  readonly key: string;
  readonly done: Looks;
}

/** What of an object shows whether it is the one that was done. */
export interface Looks {
  /** Absent in a bucket that keeps none. */
  readonly version?: string;
  readonly etag: string;
  /** Last-Modified. */
  readonly modified: string;
  /** Hashes of its envelopes, by place. */
  readonly wraps: Readonly<Record<string, readonly string[]>>;
}

export type JournalLine = Intent | Done;

/** A line as it is stored: a checksum, which shows accidents, and JSON. */
export function lineOf(value: object): string {
  const text = JSON.stringify(value);
  return `${checksumOf(text)} ${text}\n`;
}

/** The JSON of a line. */
export function textOf(line: string): string {
  return line.slice(9);
}

/** What a line without its end holds; undefined for one that is damaged. */
export function parsedLine(line: string): unknown {
  const text = textOf(line);
  if (line[8] !== " " || line.slice(0, 8) !== checksumOf(text)) return undefined;
  return JSON.parse(text);
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
