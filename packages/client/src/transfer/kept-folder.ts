import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, mkdir, open, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { NOTHING } from "../streams.js";
import { inFolder } from "./file-errors.js";
import { ProcessLock } from "./process-lock.js";

const PLAINTEXT = "partial";
const JOURNAL = "pieces";
/** A file that is made to see what any new one would have. */
export const NEW = "new";
/** That a folder is deleted while it is being opened; more often is no accident. */
const MOST_TRIES = 20;
/** Folders that are looked at before there is no room for another. */
const MOST_FOLDERS = 16;

/**
 * The private folder beside a target in which a download waits to be resumed: what has arrived, unproven, and a journal of
 * it. It is found again by the target's name, and taken up only where nobody else could have written it (G9): it is ours,
 * 0700, and so are its files, 0600, each a file with one name. Where the folder is not, the next name serves; where a file
 * is not, it begins anew.
 */
export class KeptFolder {
  readonly path: string;
  readonly plaintext: FileHandle;
  readonly journal: FileHandle;
  /** Why what was there is of no use, where its files were not ours alone. */
  readonly anew: string | undefined;
  readonly #lock: ProcessLock;

  private constructor(
    path: string,
    lock: ProcessLock,
    files: { readonly plaintext: FileHandle; readonly journal: FileHandle; readonly anew: string | undefined },
  ) {
    this.path = path;
    this.#lock = lock;
    this.plaintext = files.plaintext;
    this.journal = files.journal;
    this.anew = files.anew;
  }

  /**
   * @throws S3EncryptionError `transfer-in-use` while another process has it; `unsupported-operation` on a system that does
   *   not tell whose a file is; `invalid-argument` where no folder can be made
   */
  static async open(target: string, signal?: AbortSignal): Promise<KeptFolder> {
    const uid = process.geteuid?.();
    if (uid === undefined) {
      throw new S3EncryptionError(
        "unsupported-operation",
        "This system does not tell whose a file is, so that what is left of a download cannot be trusted: leave resume out.",
      );
    }
    const name = createHash("sha256").update(basename(target)).digest("hex").slice(0, 32);
    for (let index = 0; index < MOST_FOLDERS; index++) {
      const path = join(dirname(target), `.s3ec-resume-${name}${index === 0 ? "" : `-${index}`}`);
      const kept = await KeptFolder.#takeUpWhatStays(target, path, { uid, signal });
      if (kept !== undefined) return kept;
    }
    throw new S3EncryptionError(
      "invalid-argument",
      `Beside ${target} are folders named .s3ec-resume-${name} that are not yours alone: delete them.`,
    );
  }

  /** Whoever has ended may delete it between any two looks at it. Undefined where what has its name stays what is not ours alone. */
  static async #takeUpWhatStays(
    target: string,
    path: string,
    { uid, signal }: { readonly uid: number; readonly signal: AbortSignal | undefined },
  ): Promise<KeptFolder | undefined> {
    let anew: string | undefined;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const isOurs = await inFolder(dirname(path), () => isFolderOurs(path, uid), { path: target });
      if (isOurs === "gone") continue;
      if (!isOurs) return undefined;
      try {
        const kept = await KeptFolder.#takeUp(path, { uid, anew, signal });
        if (kept !== undefined) return kept;
        if (anew !== undefined) return undefined;
        anew = "It was not yours alone.";
      } catch (error) {
        if (!isError(error) || error.code !== "ENOENT") throw error;
      }
    }
    throw new S3EncryptionError(
      "transfer-in-use",
      `${path} is being deleted again and again while this download begins: try again later.`,
    );
  }

  /** Undefined where there were files that are not ours alone; they are removed, once. */
  static async #takeUp(
    path: string,
    {
      uid,
      anew,
      signal,
    }: { readonly uid: number; readonly anew: string | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<KeptFolder | undefined> {
    const lock = await ProcessLock.acquire(path, "", "this transfer", signal);
    const files: FileHandle[] = [];
    try {
      const plaintext = await openOurs(join(path, PLAINTEXT), uid);
      files.push(plaintext);
      const journal = await openOurs(join(path, JOURNAL), uid);
      return new KeptFolder(path, lock, { plaintext, journal, anew });
    } catch (error) {
      for (const file of files) await file.close();
      if (error instanceof NotOurs && anew === undefined) await removeFolder(path, lock);
      else await lock.release();
      if (!(error instanceof NotOurs)) throw error;
      return undefined;
    }
  }

  /** Where the plaintext lies. */
  get plaintextPath(): string {
    return join(this.path, PLAINTEXT);
  }

  /** Lets another process take it up. */
  async leave(): Promise<void> {
    await this.#close();
    await this.#lock.release();
  }

  /** Deletes it, and what is left in it, as far as that can be. */
  async remove(): Promise<void> {
    await this.#close();
    await removeFolder(this.path, this.#lock);
  }

  async #close(): Promise<void> {
    await Promise.allSettled([this.plaintext.close(), this.journal.close()]);
  }
}

/**
 * The lock goes last, so that nobody begins anew in what is being deleted. Only what is in such a folder by name: whoever may
 * rename folders around it could put another one in its place; and nothing where somebody else has it by now.
 */
async function removeFolder(path: string, lock: ProcessLock): Promise<void> {
  if (!(await lock.isHeld())) return;
  for (const name of [PLAINTEXT, JOURNAL, NEW]) {
    const each = join(path, name);
    await rm(each, { force: true }).catch(() => rmdir(each).catch(NOTHING));
  }
  await lock.release();
  // Whoever waited for the lock may have it by now, and the folder with it.
  await rmdir(path).catch(NOTHING);
}

/** Whether it is, after it was made where there was none. */
async function isFolderOurs(path: string, uid: number): Promise<boolean | "gone"> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (!isError(error) || error.code !== "EEXIST") throw error;
  }
  try {
    const stats = await lstat(path);
    return stats.isDirectory() && isPrivate(stats, uid, 0o700);
  } catch (error) {
    if (isError(error) && error.code === "ENOENT") return "gone";
    throw error;
  }
}

class NotOurs extends Error {}

/** Opens a file, or makes it; the last part of its path is not followed, and what was opened is what is looked at. */
async function openOurs(path: string, uid: number): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: FileHandle;
  try {
    file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    if (isError(error) && NOT_A_FILE.has(String(error.code))) throw new NotOurs();
    throw error;
  }
  const stats = await file.stat();
  if (stats.isFile() && stats.nlink === 1 && isPrivate(stats, uid, 0o600)) return file;
  await file.close();
  throw new NotOurs();
}

/** A link, a folder, a pipe without a reader, or a file that we may not open. */
const NOT_A_FILE: ReadonlySet<string> = new Set(["ELOOP", "EISDIR", "ENXIO", "EACCES", "EPERM"]);

function isPrivate(stats: Stats, uid: number, mode: number): boolean {
  return stats.uid === uid && (stats.mode & 0o777) === mode;
}
