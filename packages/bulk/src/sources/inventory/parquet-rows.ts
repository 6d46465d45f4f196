import type { FileHandle } from "node:fs/promises";
import { S3EncryptionError } from "@s3ec/materials";
import type { AsyncBuffer } from "hyparquet";

/** The rows of a Parquet file, by the names of their columns; one of its row groups is in memory at a time. */
export async function* parquetRows(
  file: FileHandle,
  byteLength: number,
  wanted: readonly string[],
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  // Loaded when it is needed: whoever reads no inventory does without its thirty files.
  const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const buffer: AsyncBuffer = {
    byteLength,
    slice: async (start, end = byteLength) => {
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      if (bytesRead < bytes.length) throw new Error("The file was cut short.");
      return bytes.buffer;
    },
  };
  try {
    const metadata = await parquetMetadataAsync(buffer);
    const there = new Set(metadata.schema.map(({ name }) => name));
    const columns = wanted.filter((name) => there.has(name));
    let rowStart = 0;
    for (const { num_rows } of metadata.row_groups) {
      const rowEnd = rowStart + Number(num_rows);
      yield* await parquetReadObjects({ file: buffer, metadata, columns, rowStart, rowEnd });
      rowStart = rowEnd;
    }
  } catch (error) {
    if (error instanceof S3EncryptionError) throw error;
    throw new S3EncryptionError("invalid-argument", "The inventory's Parquet file cannot be read.", { cause: error });
  }
}
