import { readdir, realpath, stat } from "node:fs/promises";
import { sep } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { isDefaultConfiguration } from "../default-configuration.js";
import { makeRoomFor } from "./local-target.js";

export interface TargetFolderOptions {
  /** Whether keys are none that the caller has named. */
  readonly isMany: boolean;
  /** The configuration that is used, where one was named. */
  readonly configuration?: string | undefined;
  /** Names in a folder, as they are spelled there. */
  readonly namesIn?: (folder: string) => Promise<readonly string[]>;
}

/** Folders whose names are remembered at once: files come folder by folder. */
const KNOWN = 16;

/**
 * The folder below which one run writes files that are called as keys say, each of them once. No two of its objects become one
 * file: one of them would be lost, and with `mv` for good.
 */
export class TargetFolder {
  /** With a separator at its end. */
  readonly path: string;
  readonly #options: TargetFolderOptions;
  readonly #configuration: Promise<string | undefined>;
  /** What may become one file waits for each other. */
  readonly #underWay = new Map<string, Promise<unknown>>();
  /** Device and number of each file that was written, some 80 bytes: whatever names and links lead to it. */
  readonly #written = new Set<string>();
  readonly #names = new Map<string, Promise<Pick<ReadonlySet<string>, "has">>>();

  constructor(path: string, options: TargetFolderOptions) {
    this.path = path;
    this.#options = options;
    const { configuration } = options;
    this.#configuration = configuration === undefined ? Promise.resolve(undefined) : realPath(configuration);
  }

  /**
   * Does what writes a file below the folder, once there is room for it; it is told whether one is there.
   *
   * @throws S3EncryptionError `unsupported-operation` for what is another's file, or is not to be a key's
   */
  async write<T>(path: string, work: (isThere: boolean) => Promise<T>): Promise<T> {
    const place = await makeRoomFor(this.path, path);
    if (this.#options.isMany) await this.#assertNoConfiguration(place);
    return await this.#oneByOne(place.normalize().toLowerCase(), async () => {
      const there = await identityOf(path);
      if (there !== undefined) await this.#assertOwn(path, there);
      try {
        return await work(there !== undefined);
      } finally {
        const written = await identityOf(path);
        if (written !== undefined) this.#written.add(written);
      }
    });
  }

  /** A configuration names code and keys: whoever may write to the bucket would choose those of the next command. */
  async #assertNoConfiguration(place: string): Promise<void> {
    if (place !== (await this.#configuration) && !(await isDefaultConfiguration(place))) return;
    throw new S3EncryptionError(
      "unsupported-operation",
      "It would be the configuration of s3ec, which names the code and the keys of your next command: look at it, and get it by itself.",
    );
  }

  /** Where the file system folds names, what is there may be another's file: it has another name in its folder. */
  async #assertOwn(path: string, there: string): Promise<void> {
    if (this.#written.has(there)) {
      throw new S3EncryptionError(
        "unsupported-operation",
        "It would be the file that another object has become just now, by a link or as the file system reads names: get it by itself, under a name of yours.",
      );
    }
    let folder = this.path;
    for (const name of path.slice(this.path.length).split(sep)) {
      if (!(await this.#isNameIn(folder, name))) {
        throw new S3EncryptionError(
          "unsupported-operation",
          `The file system takes ${JSON.stringify(name)} for the name of another that is there: get it by itself, under a name of yours.`,
        );
      }
      folder = `${folder}${name}${sep}`;
    }
  }

  async #isNameIn(folder: string, name: string): Promise<boolean> {
    const known = await this.#names.get(folder);
    return known?.has(name) === true || (await this.#read(folder)).has(name);
  }

  /** One that may be written to and not be read tells nothing. */
  #read(folder: string): Promise<Pick<ReadonlySet<string>, "has">> {
    const { namesIn = readdir } = this.#options;
    const names = namesIn(folder).then(
      (all) => new Set(all),
      (error: unknown) => {
        if (isError(error) && (error.code === "EACCES" || error.code === "EPERM")) return { has: () => true };
        throw error;
      },
    );
    this.#names.delete(folder);
    this.#names.set(folder, names);
    const [oldest] = this.#names.keys();
    if (this.#names.size > KNOWN && oldest !== undefined) this.#names.delete(oldest);
    return names;
  }

  async #oneByOne<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#underWay.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#underWay.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#underWay.get(name) === mine) this.#underWay.delete(name);
    }
  }
}

function realPath(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}

/** Undefined for what is not there, or cannot be looked at, as whoever opens it is told. */
async function identityOf(path: string): Promise<string | undefined> {
  return await stat(path, { bigint: true }).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => undefined,
  );
}
