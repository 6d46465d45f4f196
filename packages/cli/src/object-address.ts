import { basename } from "node:path";
import { S3EncryptionError } from "@s3ec/materials";
import { InvalidArgumentError } from "commander";

/** Where an object is. */
export interface ObjectAddress {
  readonly Bucket: string;
  readonly Key: string;
}

/** Reads `s3://bucket/key`; the key is taken as it stands, without URL decoding. */
export function objectAddress(text: string): ObjectAddress {
  const { Bucket, Key } = destinationAddress(text);
  if (Key === "") throw new InvalidArgumentError("It names a whole bucket: write one object, as s3://bucket/key.");
  return { Bucket, Key };
}

/** Reads `s3://bucket/prefix`, or a whole bucket. */
export function prefixAddress(text: string): ObjectAddress {
  const [, Bucket, Key = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(text) ?? [];
  if (Bucket === undefined) {
    throw new InvalidArgumentError("Write it as s3://bucket/prefix, after the configuration's file.");
  }
  return { Bucket, Key };
}

/** Reads `s3://bucket/key`, `s3://bucket/folder/` or `s3://bucket/`; `objectNamedAfter` completes the latter two. */
export function destinationAddress(text: string): ObjectAddress {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.*)$/s.exec(text) ?? [];
  if (Bucket === undefined || Key === undefined) throw new InvalidArgumentError("Write it as s3://bucket/key.");
  return { Bucket, Key };
}

/** A key that ends with a slash takes the file's name. */
export function objectNamedAfter({ Bucket, Key }: ObjectAddress, file: string): ObjectAddress {
  if (Key !== "" && !Key.endsWith("/")) return { Bucket, Key };
  const name = basename(file);
  if (file === "-" || !isFileName(name) || file.startsWith("/dev/")) {
    throw new S3EncryptionError(
      "invalid-argument",
      `${file} has no name that an object could take: write the whole key instead of ${formatAddress({ Bucket, Key })}.`,
    );
  }
  return { Bucket, Key: `${Key}${name}` };
}

/** A path that ends with a slash takes the name of the object, which is what its key has after its last slash. */
export function fileNamedAfter(path: string, { Bucket, Key }: ObjectAddress): string {
  if (!/[/\\]$/.test(path) || basename(`${path}x`) !== "x") return path;
  const name = Key.slice(Key.lastIndexOf("/") + 1);
  if (!isFileName(name)) {
    throw new S3EncryptionError(
      "invalid-argument",
      `The key of ${formatAddress({ Bucket, Key })} ends with no name that a file could have: name the file after ${path}`,
    );
  }
  return `${path}${name}`;
}

// What a key ends with is whatever its writer chose; it must not lead out of the folder.
function isFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && basename(name) === name && !name.includes("\0");
}

export function formatAddress({ Bucket, Key }: ObjectAddress): string {
  return `s3://${Bucket}/${Key}`;
}
