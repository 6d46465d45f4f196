import type { FileHandle } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { S3EncryptionError } from "@s3ec/materials";

/** The rows of a gzipped CSV without a header line, each as long as the manifest's columns. */
export async function* csvRows(file: FileHandle, columns: readonly string[]): AsyncGenerator<readonly string[]> {
  // Loaded when it is needed, as the reader of Parquet is.
  const { parse } = await import("csv-parse");
  const rows = new PassThrough({ objectMode: true, highWaterMark: 1000 });
  // Larger than any line: keys of 1,024 bytes, escaped, and columns of S3's own.
  const parser = parse({ max_record_size: 64 * 1024, relax_column_count: true, encoding: "utf8" });
  const source = file.createReadStream({ start: 0, autoClose: false, highWaterMark: 256 * 1024 });
  const piped = pipeline(source, createGunzip(), parser, rows);
  piped.catch(() => {});
  try {
    for await (const row of rows) {
      const cells = row as readonly string[];
      if (cells.length !== columns.length)
        throw altered(`a line of ${cells.length} columns, and not ${columns.length}`);
      yield cells;
    }
    await piped;
  } catch (error) {
    if (error instanceof S3EncryptionError) throw error;
    throw altered("what is no gzipped CSV", error);
  } finally {
    rows.destroy();
    await piped.catch(() => {});
  }
}

function altered(what: string, cause?: unknown): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", `The inventory's CSV holds ${what}.`, { cause });
}
