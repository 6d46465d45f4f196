import { createHash } from "node:crypto";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { readAtMost } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";

/** One file of an inventory. */
export interface InventoryFile {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** In hexadecimal digits. */
  readonly md5: string;
}

/** What an inventory's `manifest.json` says. */
export interface InventoryManifest {
  /** The bucket whose objects are listed. */
  readonly sourceBucket: string;
  /** When S3 began to make it: later objects may be missing, and gone ones be there. */
  readonly created: Date;
  readonly format: "CSV" | "Parquet";
  /** Names of the columns of a CSV, in their order. */
  readonly columns: readonly string[];
  readonly files: readonly InventoryFile[];
}

/** A manifest names some 200 bytes for each file of up to a million objects. */
const MAX_MANIFEST_LENGTH = 64 * 1024 ** 2;

interface Request {
  readonly abortSignal?: AbortSignal;
}

/**
 * Reads `manifest.json`, and compares it with the `manifest.checksum` beside it.
 *
 * @throws S3EncryptionError `invalid-argument` for what is no manifest, is altered, or is in a format that is not read;
 *   S3's own errors
 */
export async function readManifest(
  client: S3Client,
  { Bucket, Key }: { readonly Bucket: string; readonly Key: string },
  request: Request,
): Promise<InventoryManifest> {
  if (!Key.endsWith("/manifest.json")) {
    throw invalid(
      `Name an inventory by its manifest: a key that ends with /manifest.json, and not ${JSON.stringify(Key)}.`,
    );
  }
  const text = await textOf(client, { Bucket, Key }, MAX_MANIFEST_LENGTH, request);
  const stated = await textOf(client, { Bucket, Key: Key.replace(/json$/, "checksum") }, 1024, request);
  if (createHash("md5").update(text).digest("hex") !== stated.toString().trim().toLowerCase()) {
    throw invalid("The inventory's manifest.json does not have the checksum in its manifest.checksum: get it anew.");
  }
  return manifestOf(text);
}

async function textOf(
  client: S3Client,
  object: { readonly Bucket: string; readonly Key: string },
  most: number,
  request: Request,
): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand(object), request);
  const bytes = await readAtMost(Body as AsyncIterable<Uint8Array>, most + 1);
  if (bytes.length > most) throw invalid(`${JSON.stringify(object.Key)} is larger than any of an inventory.`);
  return Buffer.from(bytes);
}

function manifestOf(text: Buffer): InventoryManifest {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text.toString("utf8"));
  } catch {
    throw invalid("The inventory's manifest is no JSON.");
  }
  const member = (of: unknown, name: string): unknown =>
    typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
  const textMember = (of: unknown, name: string): string => {
    const value = member(of, name);
    if (typeof value === "string" && value !== "") return value;
    throw invalid(`The inventory's manifest has no ${name}.`);
  };
  const format = textMember(manifest, "fileFormat");
  if (format !== "CSV" && format !== "Parquet") {
    throw invalid(
      `Inventories of the format ${JSON.stringify(format)} are not read: configure one of CSV or Apache Parquet (ORC is not supported).`,
    );
  }
  const files = member(manifest, "files");
  if (!Array.isArray(files)) throw invalid("The inventory's manifest has no files.");
  const schema = textMember(manifest, "fileSchema");
  return {
    sourceBucket: textMember(manifest, "sourceBucket"),
    created: new Date(Number(textMember(manifest, "creationTimestamp"))),
    format,
    columns: format === "CSV" ? schema.split(",").map((name) => name.trim()) : [],
    files: files.map((file: unknown) => ({
      key: textMember(file, "key"),
      size: Number(member(file, "size")),
      md5: textMember(file, "MD5checksum").toLowerCase(),
    })),
  };
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
