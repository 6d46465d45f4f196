import type { Dirent, Stats } from "node:fs";
import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isError } from "@s3ec/materials";

/** A file below a folder. */
export interface LocalFile {
  /** Below the folder, with slashes. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Milliseconds. */
  readonly modified: number;
  /** The same of its last change of any kind, which nobody sets back. */
  readonly changed: number;
  /** Whether a link below the folder leads to where it is, which need not be below the folder. */
  readonly isBehindLink?: true;
}

/** What was there, and cannot be read. */
export interface UnreadPath {
  readonly name: string;
  readonly path: string;
  /** In a sentence. */
  readonly unread: string;
  /** Whether there may be files below it that are not known of. */
  readonly isFolder: boolean;
}

export interface TreeOptions {
  /** Default true. */
  readonly followSymlinks?: boolean;
}

/** The private folders that a download grows in, and the local server's own: nothing in them is meant to be stored. */
const OUR_FOLDER = /^\.s3ec-/;
/** A file that grows without one. */
const OUR_FILE = /^\.s3ec-[0-9a-f]{8}-/;

/**
 * The files below a folder, in the order in which S3 would list their names. One folder with its names is in memory at a
 * time, and those around it. Throws for the folder itself where that cannot be read.
 */
export async function* localTree(folder: string, options: TreeOptions = {}): AsyncGenerator<LocalFile | UnreadPath> {
  const there = await stat(folder);
  yield* filesIn(folder, "", options, { folders: [identity(there)], isLinked: false });
}

/** The folders that one is in, and whether any of them but the first is a link. */
interface Around {
  readonly folders: readonly string[];
  readonly isLinked: boolean;
}

async function* filesIn(
  folder: string,
  prefix: string,
  options: TreeOptions,
  { folders, isLinked }: Around,
): AsyncGenerator<LocalFile | UnreadPath> {
  for (const entry of await entriesIn(folder, prefix, options)) {
    const { name, path } = entry;
    if ("unread" in entry) yield entry;
    else if (entry.stats.isDirectory()) {
      const own = identity(entry.stats);
      if (folders.includes(own)) {
        yield { name, path, unread: "It is a link to a folder that it is in.", isFolder: true };
      } else {
        yield* belowOf(path, name, options, { folders: [...folders, own], isLinked: isLinked || entry.isLink });
      }
    } else if (!entry.stats.isFile()) {
      yield { name, path, unread: "It is a device, a pipe or a socket.", isFolder: false };
    } else {
      const { size, mtimeMs: modified, ctimeMs: changed } = entry.stats;
      yield { name, path, size, modified, changed, ...(isLinked ? { isBehindLink: true } : {}) };
    }
  }
}

async function* belowOf(
  path: string,
  name: string,
  options: TreeOptions,
  around: Around,
): AsyncGenerator<LocalFile | UnreadPath> {
  try {
    yield* filesIn(path, `${name}/`, options, around);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    yield { name, path, unread: `The folder cannot be read (${error.code}).`, isFolder: true };
  }
}

type Entry =
  | { readonly name: string; readonly path: string; readonly stats: Stats; readonly isLink: boolean }
  | UnreadPath;

/** Sorted as S3 sorts keys: a folder by its name with the slash. */
async function entriesIn(folder: string, prefix: string, { followSymlinks = true }: TreeOptions): Promise<Entry[]> {
  const found: { readonly entry: Entry; readonly order: Buffer }[] = [];
  for await (const dirent of await opendir(folder, { encoding: "buffer" as BufferEncoding })) {
    const bytes = dirent.name as unknown as Buffer;
    const text = bytes.toString();
    if (dirent.isDirectory() ? OUR_FOLDER.test(text) : dirent.isFile() && OUR_FILE.test(text)) continue;
    if (!followSymlinks && dirent.isSymbolicLink()) continue;
    const entry = await entryOf(dirent, bytes, { name: `${prefix}${text}`, path: join(folder, text) });
    const isFolder = "stats" in entry && entry.stats.isDirectory();
    found.push({ entry, order: isFolder ? Buffer.concat([bytes, Buffer.from("/")]) : bytes });
  }
  return found.sort((one, other) => Buffer.compare(one.order, other.order)).map(({ entry }) => entry);
}

async function entryOf(
  dirent: Pick<Dirent, "isSymbolicLink">,
  bytes: Buffer,
  named: { readonly name: string; readonly path: string },
): Promise<Entry> {
  // A key is UTF-8, and another name could not be found again.
  if (!Buffer.from(bytes.toString()).equals(bytes)) {
    return { ...named, unread: "Its name is no UTF-8.", isFolder: true };
  }
  try {
    return { ...named, stats: await stat(named.path), isLink: dirent.isSymbolicLink() };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const unread = dirent.isSymbolicLink()
      ? "It is a link that leads nowhere."
      : `It cannot be looked at (${error.code}).`;
    return { ...named, unread, isFolder: !dirent.isSymbolicLink() };
  }
}

function identity({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return isError(error) && "syscall" in error;
}
