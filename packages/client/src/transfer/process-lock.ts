import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, open, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { requestAborted } from "../request-aborted.js";
import { NOTHING } from "../streams.js";
import { holderIn, type ProcessIdentity, stateOf, thisProcess } from "./process-identity.js";

/** That a lock is passed by, or its folder removed, while it is being made; more often is no accident. */
const MOST_TRIES = 100;
/** One has a few hundred bytes. */
const MAX_LENGTH = 16 * 1024;
/** Its digits are as many as a lock's number may have. */
const MAX_NUMBER = 999_999_999_999_999;

/**
 * Keeps a transfer, or another work that is resumed, to one process (G8, G9), also behind one that was killed: Node has no locks that end with the process.
 *
 * Locks are numbered. Whoever finds the holders of all that there are gone makes the next one, which only one can: no lock is
 * ever replaced, or taken away from under somebody who has just made it.
 */
export class ProcessLock {
  readonly #folder: string;
  readonly #stem: string;
  readonly #number: number;
  readonly #text: string;

  private constructor(
    folder: string,
    stem: string,
    { number, text }: { readonly number: number; readonly text: string },
  ) {
    this.#folder = folder;
    this.#stem = stem;
    this.#number = number;
    this.#text = text;
  }

  /**
   * What is guarded has to be read, or read again, after this.
   *
   * @param stem what the names of its locks begin with; of each that shares the folder, another one
   * @param what what is guarded, for the error
   * @throws S3EncryptionError `transfer-in-use` while another process has it, or may have it; `unsupported-operation` where what
   *   has the name of a lock is none, or the file system has no hard links
   * @throws Error of the code `ENOENT` where there is no such folder, or not any more
   */
  static async acquire(folder: string, stem = "", what = "this transfer", signal?: AbortSignal): Promise<ProcessLock> {
    const us = await thisProcess();
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (signal?.aborted === true) throw requestAborted();
      const lock = await ProcessLock.#tryOnce(folder, stem, { us, what });
      if (lock !== undefined) return lock;
    }
    throw new S3EncryptionError(
      "transfer-in-use",
      `Other processes keep beginning and leaving ${what}: its locks in ${folder} change all the time. Try again later.`,
    );
  }

  /** Undefined where another process was in the way, and it has to be looked again. */
  static async #tryOnce(
    folder: string,
    stem: string,
    { us, what }: { readonly us: ProcessIdentity; readonly what: string },
  ): Promise<ProcessLock | undefined> {
    const made = join(folder, `${stem}lock-${randomUUID()}`);
    try {
      const text = JSON.stringify({ ...us, id: randomUUID() });
      await writeFile(made, text, { flag: "wx", mode: 0o600 });
      const found = await locksIn(folder, stem);
      for (const { path, text } of found) await assertGone(text, us, path, what);
      const last = found.at(-1);
      if (last?.number === MAX_NUMBER) throw notALock(last.path, "no lock can come behind it");
      const lock = new ProcessLock(folder, stem, { number: (last?.number ?? 0) + 1, text });
      if (!(await isLinked(made, lock.#path))) return undefined;
      // Whoever looked long ago may have made one that was passed by meanwhile, or behind one that is another by now.
      let isLast = false;
      try {
        const [, before] = (await locksIn(folder, stem)).reverse();
        isLast = before?.text === last?.text;
      } finally {
        if (!isLast) await rm(lock.#path, { force: true });
      }
      return isLast ? lock : undefined;
    } finally {
      await rm(made, { force: true }).catch(NOTHING);
    }
  }

  /**
   * For the next process. What cannot be removed, such as another user's, stays: nothing is in its way that a later process
   * could not tell.
   */
  async release(): Promise<void> {
    // Those of processes that are gone; ours goes last: until then, nobody begins to count anew.
    try {
      await this.#removeOthers();
    } catch {
      // The folder may be gone, and all of them with it.
    }
    if (await this.isHeld()) await rm(this.#path, { force: true }).catch(NOTHING);
  }

  /** Whether it still stands: somebody may have deleted it, as our own errors advise, and another process have its place. */
  async isHeld(): Promise<boolean> {
    try {
      return (await textOf(this.#path)) === this.#text;
    } catch {
      return false;
    }
  }

  /** Of processes that are gone: locks in front of ours, and what they have left that were killed on their way to one. */
  async #removeOthers(): Promise<void> {
    const us = await thisProcess();
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith(`${this.#stem}lock-`)) continue;
      const number = numberOf(name, this.#stem);
      const isOne = number === undefined ? isUnfinished(name, this.#stem) : number < this.#number;
      if (!isOne) continue;
      const path = join(this.#folder, name);
      if (await isLeft(path, us).catch(() => false)) await rm(path, { force: true }).catch(NOTHING);
    }
  }

  get #path(): string {
    return join(this.#folder, `${this.#stem}lock-${this.#number}`);
  }
}

interface FoundLock {
  readonly number: number;
  readonly path: string;
  readonly text: string;
}

/** All that there are, in order. */
async function locksIn(folder: string, stem: string): Promise<FoundLock[]> {
  const found: FoundLock[] = [];
  for (const name of await readdir(folder)) {
    const number = numberOf(name, stem);
    if (number === undefined) continue;
    const path = join(folder, name);
    const text = await textOf(path);
    if (text !== undefined) found.push({ number, path, text });
  }
  return found.sort((a, b) => a.number - b.number);
}

function numberOf(name: string, stem: string): number | undefined {
  const number = name.startsWith(stem) ? /^lock-(\d{1,15})$/.exec(name.slice(stem.length))?.[1] : undefined;
  return number === undefined ? undefined : Number(number);
}

/** Whether it has the name of one that was still to get its number, or a number that none may have. */
function isUnfinished(name: string, stem: string): boolean {
  return /^lock-(?:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\d{16,})$/.test(name.slice(stem.length));
}

/**
 * Undefined for one that was released meanwhile. In a folder where others may write, what has a lock's name may be anything:
 * nothing is followed, waited for or read without end.
 */
async function textOf(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | NO_FOLLOW | NO_WAITING);
  } catch (error) {
    if (!isError(error)) throw error;
    if (error.code === "ENOENT") return undefined;
    if (error.code === "EACCES" || error.code === "EPERM") throw notALock(path, "it is another user's", error);
    if (error.code === "ELOOP" || error.code === "ENXIO" || error.code === "EISDIR") {
      throw notALock(path, "it is no file", error);
    }
    throw error;
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw notALock(path, "it is no file");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_LENGTH + 1), 0, MAX_LENGTH + 1, 0);
    if (bytesRead > MAX_LENGTH) throw notALock(path, "it is too large");
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

// Windows has no such flags.
const NO_FOLLOW: number = constants.O_NOFOLLOW ?? 0;
const NO_WAITING: number = constants.O_NONBLOCK ?? 0;

/** Whether its process is gone. */
async function isLeft(path: string, us: ProcessIdentity): Promise<boolean> {
  const text = await textOf(path);
  return text !== undefined && (await stateOf(holderIn(text), us)) === "gone";
}

function notALock(path: string, why: string, cause?: Error): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    `${path} cannot be told to be the lock of a process that has ended, since ${why}: delete it if no process is at work there.`,
    cause === undefined ? undefined : { cause },
  );
}

const WITHOUT_LINKS: ReadonlySet<unknown> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** A link appears with what is in it, and only where nothing is. */
async function isLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    // What it is made of was just begun, and taken for one that was cut short.
    if (isError(error) && (error.code === "EEXIST" || error.code === "ENOENT")) return false;
    if (!isError(error) || !WITHOUT_LINKS.has(error.code)) throw error;
    throw new S3EncryptionError(
      "unsupported-operation",
      `The file system of ${dirname(to)} has no hard links, without which no lock can be made: name a place on another one, or leave resume out.`,
      { cause: error },
    );
  }
}

async function assertGone(text: string, us: ProcessIdentity, path: string, what: string): Promise<void> {
  const holder = holderIn(text);
  const state = await stateOf(holder, us);
  // One that was cut short, by a power failure, no process has outlived.
  if (state === "gone" || holder === undefined) return;
  throw new S3EncryptionError(
    "transfer-in-use",
    state === "running"
      ? `Process ${holder.pid} is at ${what}: wait for it, or end it.`
      : `Process ${holder.pid} of ${holder.host}, of which this system cannot tell whether it still runs, is at ${what}: wait for it, or end it and delete ${path}.`,
  );
}
