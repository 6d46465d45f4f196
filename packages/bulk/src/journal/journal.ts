import { type FileHandle, open, realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { ProcessLock, synced } from "@s3ec/client";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { AppendedLines } from "./appended-lines.js";
import { JournalIndex, removeLeftIndexes } from "./journal-index.js";
import { type Done, type Intent, type JournalRun, lineOf, parsedLine, textOf } from "./journal-lines.js";

/** What a journal has of an object. */
export interface ObjectRecords {
  readonly intents: readonly Intent[];
  /** How it looked each time that it was done. */
  readonly done: readonly Done["done"][];
}

/** The first line of every journal. */
interface Header {
  readonly s3ecJournal: 1;
  readonly run: JournalRun;
}

/**
 * What a run over many objects is about to write, and what it has done: lines that are only ever added. An intent is on the disk
 * before the request that it is of is sent, so that whoever goes on behind a process that was killed knows its own work.
 */
export class Journal {
  readonly #index: JournalIndex;
  readonly #lines: AppendedLines | undefined;
  readonly #file: FileHandle | undefined;
  readonly #lock: ProcessLock | undefined;

  private constructor(index: JournalIndex, file: FileHandle | undefined, lock: ProcessLock | undefined) {
    this.#index = index;
    this.#file = file;
    this.#lock = lock;
    this.#lines = lock === undefined || file === undefined ? undefined : new AppendedLines(file);
  }

  /**
   * Goes on with a journal, or begins one. A last line that was cut short is dropped.
   *
   * @param isReadOnly whether nothing is to be recorded, nor kept from other processes
   * @throws S3EncryptionError `transfer-in-use` while another process has it; `invalid-argument` for a journal of another run, a
   *   damaged one, and what is none
   */
  static async open(path: string, run: JournalRun, isReadOnly: boolean): Promise<Journal> {
    const file = await opened(path, isReadOnly);
    let index: JournalIndex | undefined;
    let lock: ProcessLock | undefined;
    try {
      // Whatever it is called: a link is no other journal.
      const place = file === undefined ? path : await realpath(path);
      if (!isReadOnly) {
        lock = await ProcessLock.acquire(dirname(place), `${basename(place)}.`, "this journal");
        await removeLeftIndexes(place);
      }
      index = new JournalIndex(place);
      const end = file === undefined ? 0 : await readLines(path, file, run, index);
      await index.finish();
      if (file !== undefined && !isReadOnly) await begin(path, file, end, run);
      return new Journal(index, file, lock);
    } catch (error) {
      await file?.close();
      await index?.close();
      await lock?.release();
      throw error;
    }
  }

  /** What earlier processes have recorded of an object. */
  async recordsOf(key: string): Promise<ObjectRecords> {
    const lines = await orFailure(this.#index.linesOf(key));
    return {
      intents: lines.flatMap((line) => ("intent" in line ? [line] : [])),
      done: lines.flatMap((line) => ("done" in line ? [line.done] : [])),
    };
  }

  /** Resolves once it is on the disk, and no request may be sent before. */
  async intend(intent: Intent): Promise<void> {
    if (this.#lines !== undefined) await orFailure(this.#lines.append(lineOf(intent)));
  }

  /** Need not be waited for: where it gets lost, the object is looked at again. */
  done(done: Done): void {
    this.#lines?.append(lineOf(done)).catch(() => {});
  }

  /** Throws where a line could not be written. */
  async close(): Promise<void> {
    try {
      await this.#lines?.settled();
    } finally {
      await this.#file?.close();
      await this.#index.close();
      await this.#lock?.release();
    }
  }
}

/** A journal that cannot be read or written ends the run: it is nothing of one object. */
export class JournalFailure extends Error {}

async function orFailure<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new JournalFailure("The journal failed.", { cause: error });
  }
}

async function opened(path: string, isReadOnly: boolean): Promise<FileHandle | undefined> {
  try {
    return await open(path, isReadOnly ? "r" : "a+", 0o600);
  } catch (error) {
    if (isReadOnly && isError(error) && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Cuts off what a process that was killed left half written; gives a new journal its first line. */
async function begin(path: string, file: FileHandle, end: number, run: JournalRun): Promise<void> {
  const { size } = await file.stat();
  if (end < size) await file.truncate(end);
  if (end > 0) return;
  const header: Header = { s3ecJournal: 1, run };
  await file.appendFile(lineOf(header));
  await synced(file);
  // That the file is there has to last, too, where a folder can be synchronised.
  const folder = await open(dirname(path), "r").catch(() => undefined);
  if (folder !== undefined) await synced(folder).catch(() => {});
  await folder?.close();
}

/** Where the last whole line ends. */
async function readLines(path: string, file: FileHandle, run: JournalRun, index: JournalIndex): Promise<number> {
  let [number, end, position] = [0, 0, 0];
  let damaged = 0;
  for await (const { line, isWhole, length } of linesOf(file)) {
    number += 1;
    position += length;
    if (damaged > 0) throw invalid(`Line ${damaged} of ${path} is damaged, and not its last: begin a new journal.`);
    const value = isWhole ? parsedLine(line) : undefined;
    if (number === 1) {
      if (value === undefined) assertCutShort(path, line, run);
      else assertRun(path, value, run);
    }
    // Whole lines may be behind it.
    if (length > MAX_LINE) throw invalid(`Line ${number} of ${path} is damaged, and has no end: begin a new journal.`);
    if (value === undefined) {
      damaged = number;
      continue;
    }
    end = position;
    if (number > 1) await index.add((value as Intent | Done).key, textOf(line));
  }
  return end;
}

/** A file of somebody's own is not cut off, nor written to. */
function assertCutShort(path: string, line: string, run: JournalRun): void {
  const header: Header = { s3ecJournal: 1, run };
  if (lineOf(header).startsWith(line)) return;
  throw invalid(`${path} is no journal of this command: name another file, which need not exist.`);
}

function assertRun(path: string, value: unknown, run: JournalRun): void {
  const header = value as Partial<Header>;
  if (header.s3ecJournal !== 1 || header.run === undefined) {
    throw invalid(`${path} is a journal of another release: finish the run with that, or begin a new journal.`);
  }
  const of = header.run;
  if (of.command === run.command && of.bucket === run.bucket && of.target === run.target) return;
  const isOther = of.command !== run.command || of.bucket !== run.bucket;
  const was = isOther ? `a ${of.command} of the bucket ${JSON.stringify(of.bucket)}` : "a run with another target";
  throw invalid(`${path} is the journal of ${was}: what it says is done is not done for this one. Name another file.`);
}

async function* linesOf(
  file: FileHandle,
): AsyncGenerator<{ readonly line: string; readonly isWhole: boolean; readonly length: number }> {
  const chunk = Buffer.alloc(1024 ** 2);
  let rest: Buffer = Buffer.alloc(0);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield { line: bytes.toString("utf8", start, end), isWhole: true, length: end + 1 - start };
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > MAX_LINE) break;
  }
  if (rest.length > 0) yield { line: rest.toString("utf8"), isWhole: false, length: rest.length };
}

/** Longer than any line of a journal: of something else. */
const MAX_LINE = 16 * 1024 ** 2;

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
