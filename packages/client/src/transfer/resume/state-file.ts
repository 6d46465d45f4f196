import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { inFolder } from "../file-errors.js";
import { ProcessLock } from "../process-lock.js";
import { synced, syncedFolder } from "../synced.js";

/** A state of 10,000 parts has less than 3 MB. */
const MAX_LENGTH = 16 * 1024 * 1024;

/**
 * A file that is only ever added to, by one process at a time (G8): a line of JSON each, with a MAC over it and all in front of
 * it (G7). A line without its end is one whose writer was killed before it did anything that it speaks of.
 */
export class StateFile {
  readonly path: string;
  readonly #lock: ProcessLock;
  #file: FileHandle | undefined;
  readonly #lines: readonly string[];
  /** Of all lines that have an end. */
  #length: number;
  /** Of the file, as far as it is ours: its last line may have been cut short. */
  #size: number;
  #mac: Buffer = Buffer.alloc(0);
  #adding: Promise<void> = Promise.resolve();

  private constructor(path: string, lock: ProcessLock, file: FileHandle | undefined, bytes: Buffer) {
    this.path = path;
    this.#lock = lock;
    this.#file = file;
    this.#length = bytes.lastIndexOf("\n") + 1;
    this.#size = bytes.length;
    this.#lines = bytes.toString("utf8", 0, this.#length).split("\n").slice(0, -1);
  }

  /**
   * Locks it, and reads what there is.
   * @throws S3EncryptionError `transfer-in-use` while another process is at it; `unsupported-operation` for a file that others could
   *   have written; `invalid-argument` where its folder takes none
   */
  static async open(given: string, signal?: AbortSignal): Promise<StateFile> {
    // The process may go to another folder meanwhile.
    const path = resolve(given);
    const folder = dirname(path);
    const lock = await inFolder(
      folder,
      () => ProcessLock.acquire(folder, `${basename(path)}.`, "this transfer", signal),
      { path, advice: "The state of an upload is kept there: name another place by resume: { state }." },
    );
    try {
      const file = await openOwn(path);
      try {
        return new StateFile(path, lock, file, file === undefined ? Buffer.alloc(0) : await file.readFile());
      } catch (error) {
        await file?.close();
        throw error;
      }
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** What the lines say, nothing of which is proven before `authenticate`: the first one has what it takes for that. */
  get first(): unknown {
    const [line] = this.#lines;
    return line === undefined ? undefined : parsed(this.path, line).value;
  }

  /**
   * What all lines say, once each was found to be ours. Later lines are added under the same key.
   * @throws S3EncryptionError `content-mismatch` where one is not
   */
  authenticate(key: KeyObject): unknown[] {
    return this.#lines.map((line) => {
      const { text, value, mac } = parsed(this.path, line);
      const expected = macOf(key, this.#mac, text);
      if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) throw altered(this.path);
      this.#mac = expected;
      return value;
    });
  }

  /**
   * Adds a line, which is on the disk when this resolves.
   * @throws S3EncryptionError `transfer-in-use` where somebody else has written to the file: what the line says must not be done then
   */
  async add(key: KeyObject, value: unknown): Promise<void> {
    this.#adding = this.#adding.then(() => this.#add(key, value));
    // Each line speaks for all in front of it: behind one that failed, none can be added.
    return await this.#adding;
  }

  async #add(key: KeyObject, value: unknown): Promise<void> {
    const isNew = this.#file === undefined;
    this.#file ??= await this.#create();
    await this.#assertOnlyOurs();
    // What was being written when its writer was killed.
    if (this.#size > this.#length) await this.#file.truncate(this.#length);
    const text = JSON.stringify(value);
    const mac = macOf(key, this.#mac, text);
    const line = Buffer.from(`${text}\t${mac.toString("base64")}\n`);
    // Appended: two that write at the same time write one behind the other, and the second one sees it at least.
    for (let written = 0; written < line.length; ) {
      const { bytesWritten } = await this.#file.write(line, written, line.length - written);
      written += bytesWritten;
    }
    await synced(this.#file);
    if (isNew) await syncedFolder(dirname(this.path));
    this.#length += line.length;
    this.#size = this.#length;
    await this.#assertOnlyOurs();
    this.#mac = mac;
  }

  async #create(): Promise<FileHandle> {
    try {
      return await open(this.path, APPENDING | constants.O_CREAT | constants.O_EXCL, 0o600);
    } catch (error) {
      if (isError(error) && error.code === "EEXIST") throw writtenByAnother(this.path);
      throw error;
    }
  }

  /** Whatever the lock is worth on this file system (G8). */
  async #assertOnlyOurs(): Promise<void> {
    const { size, nlink } = (await this.#file?.stat()) ?? { size: 0, nlink: 0 };
    if (size !== this.#size || nlink !== 1) throw writtenByAnother(this.path);
  }

  /** @param remove whether there is nothing to go on with any more */
  async close(remove: boolean): Promise<void> {
    await this.#adding.catch(() => {});
    try {
      await this.#file?.close();
      if (remove) await rm(this.path, { force: true });
    } finally {
      this.#file = undefined;
      await this.#lock.release();
    }
  }
}

// Windows has neither links that are not followed nor pipes that are waited for.
const APPENDING: number =
  constants.O_RDWR | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Undefined where there is none. */
async function openOwn(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, APPENDING);
  } catch (error) {
    if (isError(error) && error.code === "ENOENT") return undefined;
    if (isError(error) && error.code === "ELOOP") throw notOurs(path, "it is a link");
    if (isError(error) && error.code === "EISDIR") throw notOurs(path, "it is no file");
    throw error;
  }
  try {
    const stats = await file.stat();
    const { uid, mode, nlink, size } = stats;
    if (!stats.isFile()) throw notOurs(path, "it is no file");
    if (nlink !== 1) throw notOurs(path, "it has another name, too");
    if (process.getuid !== undefined && uid !== process.getuid()) throw notOurs(path, "it is another user's");
    if (process.platform !== "win32" && (mode & 0o077) !== 0) throw notOurs(path, "others may read or write it");
    if (size > MAX_LENGTH) throw notOurs(path, "it is too large");
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function parsed(path: string, line: string): { text: string; value: unknown; mac: Buffer } {
  const [text = "", mac = "", ...more] = line.split("\t");
  try {
    if (more.length > 0) throw altered(path);
    return { text, value: JSON.parse(text), mac: Buffer.from(mac, "base64") };
  } catch {
    throw altered(path);
  }
}

/** Over all lines so far, by the MAC of the one before: each with its length in front. */
function macOf(key: KeyObject, before: Uint8Array, text: string): Buffer {
  const mac = createHmac("sha256", key).update("s3ec upload state line");
  for (const bytes of [before, Buffer.from(text)]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    mac.update(length).update(bytes);
  }
  return mac.digest();
}

function notOurs(path: string, why: string): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    `${path} cannot be the state of an upload of yours, since ${why}. Delete it, or name another one.`,
  );
}

function writtenByAnother(path: string): S3EncryptionError {
  return new S3EncryptionError(
    "transfer-in-use",
    `Another process has written to ${path}, or deleted it, while this one was at the upload: let one go on with it.`,
  );
}

function altered(path: string): S3EncryptionError {
  return new S3EncryptionError(
    "content-mismatch",
    `${path} is not what an upload of yours has written: it was altered, or is of another user or another resume secret. Delete it to upload from the beginning.`,
  );
}
