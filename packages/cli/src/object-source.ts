import type { S3Client } from "@aws-sdk/client-s3";
import type { ObjectFilter, StoredObject } from "@s3ec/bulk";
import { S3EncryptionError } from "@s3ec/materials";
import { type Command, InvalidArgumentError, Option } from "commander";
import { openSource } from "./byte-source.js";
import { NothingThere } from "./exit-codes.js";
import { formatAddress, type ObjectAddress, objectAddress } from "./object-address.js";
import { type FilterRule, filterOptions, pathFilter } from "./objects/path-filter.js";
import { assertOfOne, ofMany } from "./of-many.js";

/** Which objects a command is about, where an address may be of many. */
export interface SourceOptions {
  readonly recursive?: boolean;
  readonly versions?: boolean;
  readonly inventory?: ObjectAddress;
  readonly keys?: string;
  readonly keysEncoding?: "none" | "url";
  readonly glob?: string;
  readonly larger?: number;
  readonly smaller?: number;
  readonly older?: Date;
  readonly newer?: Date;
  /** All of both, in their order. */
  readonly exclude?: readonly FilterRule[];
  readonly include?: readonly FilterRule[];
}

/** Objects, and what is known of where they come from. */
export interface ObjectSource {
  readonly objects: AsyncIterable<StoredObject>;
  /** Whether the files beside objects are among them. */
  readonly areFilesListed: boolean;
  /** What it is, in words. */
  readonly name: string;
  /** Objects that have come of it, before any filter. */
  readonly came: () => number;
}

/** Adds the options that say which objects. */
export function sourceOptions(command: Command): Command {
  return ofMany(command, () => {
    command
      .option("--recursive", "every object whose key begins with that of the address")
      .option("--versions", "every version, and not the current objects only")
      .option("--inventory <s3://bucket/.../manifest.json>", "those of an S3 Inventory: CSV or Parquet", objectAddress)
      .option("--keys <FILE>", "those whose keys FILE has, one a line; - is standard input")
      .addOption(
        new Option("--keys-encoding <HOW>", "how its keys are written (default: none, as they stand)").choices([
          "none",
          "url",
        ]),
      )
      .option("--glob <PATTERN>", "of those, the ones whose whole key is like this: logs/**/*.gz")
      .option("--larger <BYTES>", "of those, the ones that are larger in S3; 10MiB for example", bytes)
      .option("--smaller <BYTES>", "of those, the ones that are smaller in S3", bytes)
      .option("--older <DATE>", "of those, the ones last modified before, such as 2026-01-31", date)
      .option("--newer <DATE>", "of those, the ones last modified then or later", date);
    filterOptions(command);
  });
}

/** What of the source is meant; undefined for all of it. */
export async function filterOf(
  { Key: prefix }: ObjectAddress,
  { glob, larger, smaller, older, newer, exclude, include }: SourceOptions,
): Promise<ObjectFilter | undefined> {
  const options = {
    ...(glob === undefined ? {} : { glob }),
    ...(larger === undefined ? {} : { largerThan: larger }),
    ...(smaller === undefined ? {} : { smallerThan: smaller }),
    ...(older === undefined ? {} : { olderThan: older }),
    ...(newer === undefined ? {} : { newerThan: newer }),
  };
  const rules = exclude ?? include ?? [];
  if (Object.keys(options).length + rules.length === 0) return undefined;
  // Loaded when it is needed: every command's start would pay for it.
  const { objectFilter } = await import("@s3ec/bulk");
  const meant = objectFilter(options);
  if (rules.length === 0) return meant;
  const isNamed = pathFilter(rules);
  const below = prefix.lastIndexOf("/") + 1;
  return (object) => isNamed(object.Key.slice(below)) && meant(object);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function bytes(text: string): number {
  const [, digits, unit = ""] = /^(\d{1,15})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError("Write bytes, or as 10KiB, 10MiB or 10GiB.");
  return Number(digits) * (UNITS[unit] ?? 1);
}

function date(text: string): Date {
  const time = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("Write a date in UTC, as 2026-01-31 or 2026-01-31T12:00Z.");
  return new Date(time);
}

/** Whether the address is of many objects. */
export function isMany({ recursive, inventory, keys }: SourceOptions): boolean {
  return recursive === true || inventory !== undefined || keys !== undefined;
}

/** Throws `invalid-argument` for options that do not go together. */
export function assertSource({ Bucket, Key }: ObjectAddress, options: SourceOptions, command: Command): void {
  const { recursive = false, versions = false, inventory, keys, keysEncoding } = options;
  if ([recursive, inventory !== undefined, keys !== undefined].filter(Boolean).length > 1) {
    throw invalid("Say which objects with one of --recursive, --inventory and --keys.");
  }
  if (keysEncoding !== undefined && keys === undefined) throw invalid("--keys-encoding is of --keys.");
  if (keys !== undefined && Key !== "") {
    throw invalid(`Keys in a list are whole: name the bucket alone, as s3://${Bucket}.`);
  }
  if (!isMany(options) && (Key === "" || Key.endsWith("/"))) {
    throw invalid(`${formatAddress({ Bucket, Key })} names no object: say --recursive for all that begin so.`);
  }
  if (versions && !recursive && inventory === undefined) throw invalid("--versions is of --recursive or --inventory.");
  if (!isMany(options)) assertOfOne(command, "--recursive, --inventory or --keys");
}

/** The objects that are meant. Throws what reading an inventory throws. */
export async function objectSource(
  client: S3Client,
  address: ObjectAddress,
  options: SourceOptions,
  abortSignal: AbortSignal,
): Promise<ObjectSource> {
  const source = await wholeSource(client, address, options, abortSignal);
  const filter = await filterOf(address, options);
  if (filter === undefined) return source;
  const { filterObjects } = await import("@s3ec/bulk");
  // A filter by size or name leaves files out.
  return { ...source, areFilesListed: false, objects: filterObjects(source.objects, filter) };
}

/** The same, whatever is filtered: what writes objects goes on with what it had begun of them, which may look otherwise by now. */
export async function wholeSource(
  client: S3Client,
  address: ObjectAddress,
  options: SourceOptions,
  abortSignal: AbortSignal,
): Promise<ObjectSource> {
  const { objects, ...source } = await sourceOf(client, address, options, abortSignal);
  let count = 0;
  const counted = async function* (): AsyncGenerator<StoredObject> {
    for await (const object of objects) {
      count += 1;
      yield object;
    }
  };
  return { ...source, objects: counted(), came: () => count };
}

/** Throws of a prefix that was named, and nothing begins with: an answer about it would be about nothing. */
export function assertSomethingThere(address: ObjectAddress, options: SourceOptions, came: number): void {
  const isNamed = address.Key !== "" && (options.recursive === true || options.inventory !== undefined);
  if (isNamed && came === 0)
    throw new NothingThere(`There is nothing at ${formatAddress(address)}: is it spelled right?`);
}

async function sourceOf(
  client: S3Client,
  address: ObjectAddress,
  options: SourceOptions,
  abortSignal: AbortSignal,
): Promise<Omit<ObjectSource, "came">> {
  const { Bucket, Key } = address;
  const { recursive = false, versions = false, inventory, keys, keysEncoding: encoding } = options;
  if (recursive) {
    const { listObjects } = await import("@s3ec/bulk");
    const objects = listObjects(client, { Bucket, Prefix: Key, versions, abortSignal });
    return { objects, areFilesListed: true, name: formatAddress(address) };
  }
  if (inventory !== undefined) {
    const { readInventory } = await import("@s3ec/bulk");
    const wanted = { sourceBucket: Bucket, Prefix: Key, versions, abortSignal };
    const { objects, created } = await readInventory(client, { ...inventory, ...wanted });
    return { objects, areFilesListed: true, name: `the inventory of ${created.toISOString()}` };
  }
  if (keys !== undefined) {
    const { readKeys } = await import("@s3ec/bulk");
    const source = await openSource(keys);
    const text = "stream" in source ? source.stream : source.file.createReadStream();
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
