import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Bucket } from "./bucket.js";
import { type ObjectRecord, parseRecord } from "./object-record.js";
import { S3Error } from "./s3-error.js";

/** The buckets under one directory. What an interrupted run left there without a record is deleted when it is opened. */
export class ObjectStore {
  readonly #directory: string;
  readonly #fsync: boolean;
  readonly #buckets = new Map<string, Bucket>();

  private constructor(directory: string, fsync: boolean) {
    this.#directory = directory;
    this.#fsync = fsync;
  }

  static async open(directory: string, fsync: boolean): Promise<ObjectStore> {
    const store = new ObjectStore(join(directory, "buckets"), fsync);
    await mkdir(store.#directory, { recursive: true, mode: 0o700 });
    for (const name of (await readdir(store.#directory)).sort()) await store.#load(name);
    return store;
  }

  get buckets(): readonly Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined)
      throw new S3Error("NoSuchBucket", "The specified bucket does not exist", { BucketName: name });
    return bucket;
  }

  async createBucket(name: string): Promise<void> {
    // These rules also make the name safe as that of a directory.
    if (!/^(?!xn--)[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9])){1,61}[a-z0-9]$/.test(name) || /^\d+\.\d+\.\d+\.\d+$/.test(name))
      throw new S3Error("InvalidBucketName", "The specified bucket is not valid.", { BucketName: name });
    if (this.#buckets.has(name))
      throw new S3Error(
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
        { BucketName: name },
      );
    await this.#load(name);
  }

  async deleteBucket(name: string): Promise<void> {
    const bucket = this.bucket(name);
    if (!bucket.isEmpty)
      throw new S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty", { BucketName: name });
    bucket.isDeleted = true;
    this.#buckets.delete(name);
    await rm(bucket.directory, { recursive: true, force: true });
  }

  async #load(name: string): Promise<void> {
    const directory = join(this.#directory, name);
    const [data, recordFiles] = [join(directory, "data"), join(directory, "records")];
    for (const path of [data, recordFiles]) await mkdir(path, { recursive: true, mode: 0o700 });
    const records: ObjectRecord[] = [];
    for (const file of await readdir(recordFiles))
      if (file.endsWith(".json")) records.push(parseRecord(await readFile(join(recordFiles, file), "utf8")));
      else await rm(join(recordFiles, file));
    const known = new Set(records.flatMap(({ parts }) => parts.map(({ file }) => file)));
    for (const file of await readdir(data)) if (!known.has(file)) await rm(join(data, file));
    const { birthtime } = await stat(directory);
    const created = new Date(Math.floor(birthtime.getTime() / 1000) * 1000);
    this.#buckets.set(name, new Bucket({ name, created, directory, fsync: this.#fsync, records }));
  }
}
