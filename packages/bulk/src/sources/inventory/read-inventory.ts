import type { FileHandle } from "node:fs/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import { decodedKey } from "../list-objects.js";
import type { StoredObject } from "../stored-object.js";
import { checkedFile } from "./checked-file.js";
import { csvRows } from "./csv-rows.js";
import { type InventoryManifest, readManifest } from "./manifest.js";
import { parquetRows } from "./parquet-rows.js";

/** Where an S3 Inventory is, and what of it is wanted. */
export interface InventoryOptions {
  /** Where the inventory is; not the bucket that it lists. */
  readonly Bucket: string;
  /** Its `manifest.json`; `manifest.checksum` stands beside it. */
  readonly Key: string;
  /** The bucket that it has to list. Default: whichever it does. */
  readonly sourceBucket?: string;
  /** What keys begin with. Default: anything. */
  readonly Prefix?: string;
  /** Every version and delete marker, which the inventory must hold, in place of the current objects. Default false. */
  readonly versions?: boolean;
  /** Ends the reading, which then throws. */
  readonly abortSignal?: AbortSignal;
}

/** An inventory that was found. */
export interface Inventory {
  /** The bucket that it lists. */
  readonly sourceBucket: string;
  /** When S3 began to make it: later objects are missing. */
  readonly created: Date;
  /** What it lists, in its own order. */
  readonly objects: AsyncIterable<StoredObject>;
}

const OPTIONS: OptionNames<InventoryOptions> = {
  Bucket: true,
  Key: true,
  sourceBucket: true,
  Prefix: true,
  versions: true,
  abortSignal: true,
};

/**
 * Reads an S3 Inventory: gzipped CSV, or Parquet. Each of its files is compared with the manifest's checksum before a line
 * of it is given out.
 *
 * @throws S3EncryptionError `invalid-argument` for wrong options, another format (ORC), an altered file, and an inventory of
 *   another bucket or without versions where they are wanted; S3's own errors
 */
export async function readInventory(client: S3Client, options: InventoryOptions): Promise<Inventory> {
  assertKnownOptions(options, OPTIONS, "readInventory");
  const { Bucket, Key, sourceBucket, Prefix = "", versions = false, abortSignal } = options;
  const request = abortSignal === undefined ? {} : { abortSignal };
  const manifest = await readManifest(client, { Bucket, Key }, request);
  if (sourceBucket !== undefined && sourceBucket !== manifest.sourceBucket) {
    throw invalid(
      `The inventory lists the bucket ${JSON.stringify(manifest.sourceBucket)}, and not ${JSON.stringify(sourceBucket)}.`,
    );
  }
  async function* objects(): AsyncGenerator<StoredObject> {
    for (const file of manifest.files) {
      const rows = checkedFile(client, Bucket, file, request, (handle, size) => rowsOf(manifest, handle, size));
      for await (const row of rows) {
        abortSignal?.throwIfAborted();
        const object = objectOf(row, manifest, versions);
        if (object?.Key.startsWith(Prefix)) yield object;
      }
    }
  }
  return { sourceBucket: manifest.sourceBucket, created: manifest.created, objects: objects() };
}

/** A row's cells as texts, by S3's names of the columns of a CSV; empty where there is nothing. */
type Row = ReadonlyMap<Column, string>;

type Column = keyof typeof PARQUET_NAMES;

/** Which columns are read, and what a Parquet file calls them. */
const PARQUET_NAMES = {
  Bucket: "bucket",
  Key: "key",
  VersionId: "version_id",
  IsLatest: "is_latest",
  IsDeleteMarker: "is_delete_marker",
  Size: "size",
  LastModifiedDate: "last_modified_date",
  ETag: "e_tag",
} as const;

const COLUMNS = Object.keys(PARQUET_NAMES) as readonly Column[];

async function* rowsOf({ format, columns }: InventoryManifest, file: FileHandle, size: number): AsyncGenerator<Row> {
  if (format === "CSV") {
    const places = COLUMNS.map((name) => [name, columns.indexOf(name)] as const).filter(([, index]) => index >= 0);
    for await (const cells of csvRows(file, columns)) {
      // Keys in a CSV are URL-encoded; in Parquet they are not.
      yield new Map(places.map(([name, index]) => [name, cellOf(name, cells[index] ?? "")]));
    }
    return;
  }
  for await (const row of parquetRows(file, size, Object.values(PARQUET_NAMES))) {
    yield new Map(COLUMNS.map((name) => [name, textOf(row[PARQUET_NAMES[name]])]));
  }
}

function cellOf(name: Column, cell: string): string {
  return name === "Key" ? decodedKey(cell) : cell;
}

function textOf(cell: unknown): string {
  if (cell === undefined || cell === null) return "";
  return cell instanceof Date ? cell.toISOString() : String(cell);
}

function objectOf(row: Row, { sourceBucket }: InventoryManifest, versions: boolean): StoredObject | undefined {
  const text = (name: Column): string | undefined => row.get(name) || undefined;
  const Key = text("Key");
  if (Key === undefined) throw invalid("The inventory holds a line without a key.");
  if (text("Bucket") !== sourceBucket) throw invalid("The inventory holds a line of another bucket than its manifest.");
  const [VersionId, ETag, modified, Size] = [text("VersionId"), text("ETag"), text("LastModifiedDate"), text("Size")];
  const isLatest = isTrue(text("IsLatest"));
  const isDeleteMarker = isTrue(text("IsDeleteMarker")) ?? false;
  if (versions && isLatest === undefined) {
    throw invalid(
      "The inventory lists current versions only: configure one with all versions (IncludedObjectVersions).",
    );
  }
  if (!versions && (isLatest === false || isDeleteMarker)) return undefined;
  return {
    Key,
    // Of the current object no version is meant: what has taken its place since is.
    ...(versions ? { VersionId: VersionId ?? "null", isLatest: isLatest ?? false, isDeleteMarker } : {}),
    ...(Size === undefined ? {} : { Size: Number(Size) }),
    ...(ETag === undefined ? {} : { ETag: `"${ETag.replaceAll('"', "")}"` }),
    ...(modified === undefined ? {} : { LastModified: new Date(modified) }),
  };
}

function isTrue(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text.toLowerCase() === "true";
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
