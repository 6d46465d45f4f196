import { mkdirSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { S3Error } from "../s3-error.js";
import { Bucket, type BucketSettings, settingsPath } from "./bucket.js";
import { filesOf, parseVersions, type Version } from "./object-record.js";

/** The buckets under one directory. What an interrupted run left there without a record is deleted when it is opened. */
export class ObjectStore {
  readonly #directory: string;
  readonly #fsync: boolean;
  readonly #buckets = new Map<string, Bucket>();

  private constructor(directory: string, fsync: boolean) {
    this.#directory = directory;
    this.#fsync = fsync;
  }

  /** Reads what is there, and makes the directory when there is none. */
  static async open(directory: string, fsync: boolean): Promise<ObjectStore> {
    const store = new ObjectStore(join(directory, "buckets"), fsync);
    await mkdir(store.#directory, { recursive: true, mode: 0o700 });
    for (const name of (await readdir(store.#directory)).sort()) await store.#load(name);
    return store;
  }

  /** By their names. */
  get buckets(): readonly Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws S3Error `NoSuchBucket` */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined)
      throw new S3Error("NoSuchBucket", "The specified bucket does not exist", { BucketName: name });
    return bucket;
  }

  /** @throws S3Error for a name that no bucket can have, or that one has */
  createBucket(name: string): Bucket {
    // These rules also make the name safe as that of a directory.
    if (!/^(?!xn--)[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9])){1,61}[a-z0-9]$/.test(name) || /^\d+\.\d+\.\d+\.\d+$/.test(name))
      throw new S3Error("InvalidBucketName", "The specified bucket is not valid.", { BucketName: name });
    if (this.#buckets.has(name))
      throw new S3Error(
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
        { BucketName: name },
      );
    // At once, so that nothing else happens to the name meanwhile.
    for (const path of Object.values(foldersOf(this.#directory, name)))
      mkdirSync(path, { recursive: true, mode: 0o700 });
    this.#add(name, new Date(), {}, []);
    return this.bucket(name);
  }

  /** @throws S3Error `BucketNotEmpty` */
  deleteBucket(name: string): Bucket {
    const bucket = this.bucket(name);
    if (!bucket.isEmpty)
      throw new S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty", { BucketName: name });
    bucket.isDeleted = true;
    this.#buckets.delete(name);
    rmSync(bucket.directory, { recursive: true, force: true });
    return bucket;
  }

  async #load(name: string): Promise<void> {
    const { data, records: recordFolder } = foldersOf(this.#directory, name);
    const versions: (readonly Version[])[] = [];
    for (const file of await readdir(recordFolder))
      if (file.endsWith(".json")) versions.push(parseVersions(await readFile(join(recordFolder, file), "utf8")));
      else await rm(join(recordFolder, file));
    const known = new Set(versions.flat().flatMap((version) => filesOf(version).map(({ file }) => file)));
    for (const file of await readdir(data)) if (!known.has(file)) await rm(join(data, file));
    const settings = await readFile(settingsPath(join(this.#directory, name)), "utf8").catch(() => "{}");
    this.#add(name, (await stat(data)).birthtime, JSON.parse(settings), versions);
  }

  #add(name: string, created: Date, settings: BucketSettings, versions: readonly (readonly Version[])[]): void {
    const directory = join(this.#directory, name);
    this.#buckets.set(name, new Bucket({ name, created, directory, fsync: this.#fsync, settings, versions }));
  }
}

function foldersOf(directory: string, bucket: string): { data: string; records: string } {
  return { data: join(directory, bucket, "data"), records: join(directory, bucket, "records") };
}
