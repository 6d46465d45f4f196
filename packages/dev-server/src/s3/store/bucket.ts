import { createHash, randomUUID } from "node:crypto";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { S3Error } from "../s3-error.js";
import { FileWriter } from "./file-writer.js";
import { type ObjectRecord, type Segment, type StoredPart, segmentsOf } from "./object-record.js";

/**
 * The objects of one bucket. Data files never change once written, so an object is replaced by replacing its record;
 * the files of the old one go when nobody reads them any more.
 */
export class Bucket {
  readonly name: string;
  readonly created: Date;
  readonly directory: string;
  readonly #fsync: boolean;
  readonly #records: Map<string, ObjectRecord>;
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #readers = new Map<ObjectRecord, number>();
  readonly #replaced = new Set<ObjectRecord>();
  #sortedKeys: readonly string[] | undefined;
  isDeleted = false;

  constructor(options: {
    name: string;
    created: Date;
    directory: string;
    fsync: boolean;
    records: readonly ObjectRecord[];
  }) {
    this.name = options.name;
    this.created = options.created;
    this.directory = options.directory;
    this.#fsync = options.fsync;
    this.#records = new Map(options.records.map((record) => [record.key, record]));
  }

  get isEmpty(): boolean {
    return this.#records.size === 0;
  }

  find(key: string): ObjectRecord | undefined {
    return this.#records.get(key);
  }

  get(key: string): ObjectRecord {
    const record = this.#records.get(key);
    if (record === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.", { Key: key });
    return record;
  }

  /** In the byte order of UTF-8, which is not the order of JavaScript strings. */
  get sortedKeys(): readonly string[] {
    this.#sortedKeys ??= [...this.#records.keys()]
      .map((key) => Buffer.from(key))
      .sort(Buffer.compare)
      .map((bytes) => bytes.toString());
    return this.#sortedKeys;
  }

  async createDataFile(): Promise<{ file: string; writer: FileWriter }> {
    const file = randomUUID();
    return { file, writer: await FileWriter.create(this.#dataPath(file), this.#fsync) };
  }

  segments(record: ObjectRecord, start: number, length: number): Segment[] {
    return segmentsOf(record, this.#dataPath(""), start, length);
  }

  async deleteDataFiles(parts: readonly StoredPart[]): Promise<void> {
    await Promise.all(parts.map(({ file }) => unlink(this.#dataPath(file)).catch(() => {})));
  }

  /** Makes the record the object of its key, unless `condition` throws when it sees the one that is there. */
  put(record: ObjectRecord, condition: (existing: ObjectRecord | undefined) => void): Promise<void> {
    return this.#exclusively(record.key, async () => {
      const existing = this.#records.get(record.key);
      condition(existing);
      if (this.isDeleted) throw new S3Error("NoSuchBucket", "The specified bucket does not exist");
      const writer = await FileWriter.create(this.#recordPath(record.key), this.#fsync);
      writer.write(Buffer.from(JSON.stringify(record)));
      await writer.finish();
      this.#records.set(record.key, record);
      if (existing === undefined) this.#sortedKeys = undefined;
      else await this.#retire(existing);
    });
  }

  delete(key: string, condition: (existing: ObjectRecord | undefined) => void): Promise<void> {
    return this.#exclusively(key, async () => {
      const existing = this.#records.get(key);
      condition(existing);
      if (existing === undefined) return;
      await unlink(this.#recordPath(key));
      this.#records.delete(key);
      this.#sortedKeys = undefined;
      await this.#retire(existing);
    });
  }

  /** Keeps the files of a record for as long as `read` runs. */
  async whileReading<Result>(record: ObjectRecord, read: () => Promise<Result>): Promise<Result> {
    this.#readers.set(record, (this.#readers.get(record) ?? 0) + 1);
    try {
      return await read();
    } finally {
      const left = (this.#readers.get(record) ?? 1) - 1;
      if (left > 0) this.#readers.set(record, left);
      else {
        this.#readers.delete(record);
        if (this.#replaced.delete(record)) await this.deleteDataFiles(record.parts);
      }
    }
  }

  async #retire(record: ObjectRecord): Promise<void> {
    if (this.#readers.has(record)) this.#replaced.add(record);
    else await this.deleteDataFiles(record.parts);
  }

  #dataPath(file: string): string {
    return join(this.directory, "data", file);
  }

  /** Keys may be 1,024 bytes long, or `..`, or both `a` and `a/b`: files are named by their hash. */
  #recordPath(key: string): string {
    return join(this.directory, "records", `${createHash("sha256").update(key).digest("hex")}.json`);
  }

  /** Conditions are decided one write of a key at a time. */
  async #exclusively(key: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#queues.get(key) ?? Promise.resolve()).then(work, work);
    this.#queues.set(key, turn);
    try {
      await turn;
    } finally {
      if (this.#queues.get(key) === turn) this.#queues.delete(key);
    }
  }
}
