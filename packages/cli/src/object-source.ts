import { createReadStream } from "node:fs";
import type { S3Client } from "@aws-sdk/client-s3";
import { listObjects, readInventory, readKeys, type StoredObject } from "@s3ec/bulk";
import { S3EncryptionError } from "@s3ec/materials";
import { type Command, Option } from "commander";
import { formatAddress, type ObjectAddress, objectAddress } from "./object-address.js";

/** Which objects a command is about, where an address may be of many. */
export interface SourceOptions {
  readonly recursive?: boolean;
  readonly versions?: boolean;
  readonly inventory?: ObjectAddress;
  readonly keys?: string;
  readonly keysEncoding?: "none" | "url";
}

/** Objects, and what is known of where they come from. */
export interface ObjectSource {
  readonly objects: AsyncIterable<StoredObject>;
  /** Whether the files beside objects are among them. */
  readonly areFilesListed: boolean;
  /** What it is, in words. */
  readonly name: string;
}

/** Adds the options that say which objects. */
export function sourceOptions(command: Command): Command {
  return command
    .option("--recursive", "every object whose key begins with that of the address")
    .option("--versions", "every version, and not the current objects only")
    .option("--inventory <s3://bucket/.../manifest.json>", "those of an S3 Inventory: CSV or Parquet", objectAddress)
    .option("--keys <FILE>", "those whose keys FILE has, one a line; - is standard input")
    .addOption(
      new Option("--keys-encoding <HOW>", "how its keys are written (default: none, as they stand)").choices([
        "none",
        "url",
      ]),
    );
}

/** Throws `invalid-argument` for options that do not go together. */
export function assertSource({ Bucket, Key }: ObjectAddress, options: SourceOptions): void {
  const { recursive = false, versions = false, inventory, keys, keysEncoding } = options;
  if ([recursive, inventory !== undefined, keys !== undefined].filter(Boolean).length > 1) {
    throw invalid("Say which objects with one of --recursive, --inventory and --keys.");
  }
  if (keysEncoding !== undefined && keys === undefined) throw invalid("--keys-encoding is of --keys.");
  if (keys !== undefined && Key !== "") {
    throw invalid(`Keys in a list are whole: name the bucket alone, as s3://${Bucket}.`);
  }
  const isOne = !recursive && inventory === undefined && keys === undefined;
  if (isOne && (Key === "" || Key.endsWith("/"))) {
    throw invalid(`${formatAddress({ Bucket, Key })} names no object: say --recursive for all that begin so.`);
  }
  if (versions && !recursive && inventory === undefined) throw invalid("--versions is of --recursive or --inventory.");
}

/** The objects that are meant. Throws what reading an inventory throws. */
export async function objectSource(
  client: S3Client,
  address: ObjectAddress,
  options: SourceOptions,
  abortSignal: AbortSignal,
): Promise<ObjectSource> {
  const { Bucket, Key } = address;
  const { recursive = false, versions = false, inventory, keys, keysEncoding: encoding } = options;
  if (recursive) {
    const objects = listObjects(client, { Bucket, Prefix: Key, versions, abortSignal });
    return { objects, areFilesListed: true, name: formatAddress(address) };
  }
  if (inventory !== undefined) {
    const wanted = { sourceBucket: Bucket, Prefix: Key, versions, abortSignal };
    const { objects, created } = await readInventory(client, { ...inventory, ...wanted });
    return { objects, areFilesListed: true, name: `the inventory of ${created.toISOString()}` };
  }
  if (keys !== undefined) {
    const text = keys === "-" ? process.stdin : createReadStream(keys);
    const objects = readKeys(text, encoding === undefined ? {} : { encoding });
    return { objects, areFilesListed: false, name: "the list of keys" };
  }
  return { objects: only({ Key }), areFilesListed: false, name: formatAddress(address) };
}

async function* only(object: StoredObject): AsyncGenerator<StoredObject> {
  yield object;
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
