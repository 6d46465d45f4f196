import { createHash, randomUUID } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { S3Error } from "../s3-error.js";
import { FileWriter } from "./file-writer.js";
import {
  filesOf,
  type NewObject,
  type ObjectAttributes,
  type ObjectRecord,
  type Retention,
  type Segment,
  segmentsOf,
  type Version,
} from "./object-record.js";
import {
  currentObject,
  isDeleteMarker,
  newVersionId,
  nullVersion,
  requireObject,
  requireVersionId,
  type VersionChange,
  type Versioning,
  withoutVersion,
  withVersion,
} from "./versions.js";

/** What a bucket is set to, apart from what it holds. */
export interface BucketSettings {
  readonly versioning?: Versioning;
  /** Whether its versions can be locked, and how new ones are when their put does not say it. */
  readonly objectLock?: {
    readonly mode?: Retention["mode"] | undefined;
    readonly days?: number | undefined;
    readonly years?: number | undefined;
  };
}

type Condition = (existing: ObjectRecord | undefined) => void;

/**
 * The objects of one bucket. Data files never change once written, so an object is replaced by replacing its record;
 * the files of the old one go when nobody reads them any more.
 */
export class Bucket {
  readonly name: string;
  readonly created: Date;
  readonly directory: string;
  readonly #fsync: boolean;
  readonly #versions: Map<string, readonly Version[]>;
  readonly #queues = new Map<string, Promise<unknown>>();
  /** By the parts of a record, which stay the same when its attributes change. */
  readonly #readers = new Map<ObjectRecord["parts"], number>();
  readonly #replaced = new Map<ObjectRecord["parts"], Version>();
  #settings: BucketSettings;
  #sortedKeys: readonly string[] | undefined;
  isDeleted = false;

  constructor(options: {
    name: string;
    created: Date;
    directory: string;
    fsync: boolean;
    settings: BucketSettings;
    versions: readonly (readonly Version[])[];
  }) {
    this.name = options.name;
    this.created = options.created;
    this.directory = options.directory;
    this.#fsync = options.fsync;
    this.#settings = options.settings;
    this.#versions = new Map(options.versions.flatMap((list) => (list[0] ? [[list[0].key, list] as const] : [])));
  }

  /** Whether it holds no version and no delete marker. */
  get isEmpty(): boolean {
    return this.#versions.size === 0;
  }

  get settings(): BucketSettings {
    return this.#settings;
  }

  /** At once, so that no put comes between. */
  set settings(settings: BucketSettings) {
    const path = settingsPath(this.directory);
    writeFileSync(`${path}.tmp`, JSON.stringify(settings), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
    this.#settings = settings;
  }

  /** All versions of a key and the delete markers among them, newest first. */
  versions(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  /** The current object, where there is one. */
  find(key: string): ObjectRecord | undefined {
    return currentObject(this.versions(key));
  }

  /** @throws S3Error as S3 answers where there is none, and where a delete marker stands. */
  get(key: string, versionId?: string): ObjectRecord {
    return requireObject(this.versions(key), key, versionId);
  }

  /** Of all versions, in the byte order of UTF-8, which is not the order of JavaScript strings. */
  get sortedKeys(): readonly string[] {
    this.#sortedKeys ??= [...this.#versions.keys()]
      .map((key) => Buffer.from(key))
      .sort(Buffer.compare)
      .map((bytes) => bytes.toString());
    return this.#sortedKeys;
  }

  async createDataFile(): Promise<{ file: string; writer: FileWriter }> {
    const file = randomUUID();
    return { file, writer: await FileWriter.create(this.dataPath(file), this.#fsync) };
  }

  segments(record: ObjectRecord, start: number, length: number): Segment[] {
    return segmentsOf(record, this.dataPath(""), start, length);
  }

  async deleteDataFiles(files: readonly { readonly file: string }[]): Promise<void> {
    await Promise.all(files.map(({ file }) => unlink(this.dataPath(file)).catch(() => {})));
  }

  /** Makes the record the object of its key, unless `condition` throws when it sees the one that is there. */
  put(record: NewObject, condition: Condition): Promise<ObjectRecord> {
    return this.#exclusively(record.key, async () => {
      const versions = this.versions(record.key);
      condition(currentObject(versions));
      if (this.isDeleted) throw new S3Error("NoSuchBucket", "The specified bucket does not exist");
      const added: ObjectRecord = { ...record, versionId: newVersionId(this.settings.versioning) };
      await this.#store(record.key, withVersion(versions, added));
      return added;
    });
  }

  /** Deletes the object, or puts a delete marker above its versions, which is returned. */
  delete(key: string, modified: number, condition: Condition): Promise<Version | undefined> {
    return this.#exclusively(key, async () => {
      const versions = this.versions(key);
      condition(currentObject(versions));
      const { versioning } = this.settings;
      if (versioning === undefined) {
        await this.#store(key, withoutVersion(versions, nullVersion));
        return undefined;
      }
      const marker = { key, modified, versionId: newVersionId(versioning), isDeleteMarker: true } as const;
      await this.#store(key, withVersion(versions, marker));
      return marker;
    });
  }

  /** Deletes one version or delete marker for good, and returns it; one that is not there is no error. */
  deleteVersion(key: string, versionId: string, condition: Condition): Promise<Version | undefined> {
    requireVersionId(versionId);
    return this.#exclusively(key, async () => {
      const change = withoutVersion(this.versions(key), versionId);
      const [removed] = change.removed;
      condition(isDeleteMarker(removed) ? undefined : removed);
      if (removed !== undefined) await this.#store(key, change);
      return removed;
    });
  }

  /** Changes what is said about a version; files that it names no more are deleted. */
  change(
    key: string,
    versionId: string | undefined,
    changed: (record: ObjectRecord) => ObjectAttributes,
  ): Promise<ObjectRecord> {
    return this.#exclusively(key, async () => {
      const before = this.get(key, versionId);
      const after = { ...before, ...changed(before) };
      const versions = this.versions(key).map((version) => (version === before ? after : version));
      await this.#store(key, { versions, removed: [] });
      const kept = new Set(filesOf(after).map(({ file }) => file));
      await this.deleteDataFiles(filesOf(before).filter(({ file }) => !kept.has(file)));
      return after;
    });
  }

  /** Keeps the files of a record for as long as `read` runs. */
  async whileReading<Result>({ parts }: ObjectRecord, read: () => Promise<Result>): Promise<Result> {
    this.#readers.set(parts, (this.#readers.get(parts) ?? 0) + 1);
    try {
      return await read();
    } finally {
      const left = (this.#readers.get(parts) ?? 1) - 1;
      if (left > 0) this.#readers.set(parts, left);
      else {
        this.#readers.delete(parts);
        const replaced = this.#replaced.get(parts);
        this.#replaced.delete(parts);
        if (replaced !== undefined) await this.deleteDataFiles(filesOf(replaced));
      }
    }
  }

  /** Where a data file lies. */
  dataPath(file: string): string {
    return join(this.directory, "data", file);
  }

  async #store(key: string, { versions, removed }: VersionChange): Promise<void> {
    const isKnown = this.#versions.has(key);
    if (versions.length > 0) {
      const writer = await FileWriter.create(this.#recordPath(key), this.#fsync);
      writer.write(Buffer.from(JSON.stringify(versions)));
      await writer.finish();
      this.#versions.set(key, versions);
    } else if (isKnown) {
      await unlink(this.#recordPath(key));
      this.#versions.delete(key);
    }
    if (isKnown !== this.#versions.has(key)) this.#sortedKeys = undefined;
    for (const version of removed) await this.#retire(version);
  }

  async #retire(version: Version): Promise<void> {
    if (!isDeleteMarker(version) && this.#readers.has(version.parts)) this.#replaced.set(version.parts, version);
    else await this.deleteDataFiles(filesOf(version));
  }

  /** Keys may be 1,024 bytes long, or `..`, or both `a` and `a/b`: files are named by their hash. */
  #recordPath(key: string): string {
    return join(this.directory, "records", `${createHash("sha256").update(key).digest("hex")}.json`);
  }

  /** Conditions are decided one write of a key at a time. */
  async #exclusively<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#queues.get(key) ?? Promise.resolve()).then(work, work);
    this.#queues.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#queues.get(key) === turn) this.#queues.delete(key);
    }
  }
}

/** Where the settings of a bucket are kept. */
export function settingsPath(directory: string): string {
  return join(directory, "settings.json");
}
