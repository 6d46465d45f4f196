import { HeadObjectCommand, paginateListBuckets, type S3Client } from "@aws-sdk/client-s3";
import { type AuditedObject, auditObjects, inParallel, listObjects, type StoredObject } from "@s3ec/bulk";
import { plaintextSize } from "@s3ec/client";
import { holdsEnvelope } from "@s3ec/envelope";
import type { ConnectionOptions } from "../connection.js";
import { EXIT_CODES } from "../exit-codes.js";
import type { ObjectAddress } from "../object-address.js";
import { isRead, print } from "../printing.js";
import { bucketLine, type LineOptions, objectLine, prefixLine, type SizedObject, summaryLines } from "./listed-line.js";
import type { RequestOptions } from "./object-options.js";
import { objectParameters } from "./object-parameters.js";
import { readingClient } from "./reading-client.js";
import { sizeIfEncrypted } from "./same-content.js";

/** What `ls` is told. */
export interface ListOptions extends ConnectionOptions, RequestOptions, LineOptions {
  readonly summarize?: boolean;
  readonly exact?: boolean;
  readonly json?: boolean;
  readonly suffix?: string;
}

/** Objects that are asked at once. */
const CONCURRENCY = 16;

/** Prints what a prefix holds; returns the exit code, which says of a prefix whether it holds anything. */
export async function listPlace(
  client: S3Client,
  { Bucket, Key: Prefix }: ObjectAddress,
  options: ListOptions,
  abortSignal: AbortSignal,
): Promise<number> {
  const { json = false, recursive = false, summarize = false } = options;
  const { get } = await objectParameters(options);
  const reading = readingClient(client, get);
  const listed = listObjects(reading, { Bucket, Prefix, abortSignal, ...(recursive ? {} : { Delimiter: "/" }) });
  let [objects, bytes, prefixes] = [0, 0, 0];
  for await (const each of sized(reading, Bucket, listed, options, abortSignal)) {
    // Who reads has enough.
    if (!isRead()) return EXIT_CODES.unread;
    if (each.isPrefix === true) {
      prefixes += 1;
      await print(json ? JSON.stringify({ bucket: Bucket, prefix: each.Key }) : prefixLine(each.Key));
      continue;
    }
    objects += 1;
    bytes += each.size ?? 0;
    await print(json ? JSON.stringify(entryOf(Bucket, each)) : objectLine(each, options));
  }
  if (summarize) {
    await print(
      json ? JSON.stringify({ totals: { objects, bytes } }) : summaryLines(objects, bytes, options.humanReadable),
    );
  }
  return objects + prefixes === 0 && Prefix !== "" ? EXIT_CODES.unexpected : EXIT_CODES.ok;
}

/** Prints the buckets. */
export async function listBuckets(client: S3Client, { json = false }: ListOptions): Promise<number> {
  for await (const { Buckets = [] } of paginateListBuckets({ client }, {})) {
    for (const { Name = "", CreationDate } of Buckets) {
      await print(json ? JSON.stringify({ bucket: Name, created: CreationDate }) : bucketLine(Name, CreationDate));
    }
  }
  return EXIT_CODES.ok;
}

function sized(
  client: S3Client,
  Bucket: string,
  listed: AsyncIterable<StoredObject>,
  options: ListOptions,
  abortSignal: AbortSignal,
): AsyncGenerator<SizedObject & { readonly isPrefix?: boolean }> {
  if (options.long === true) return audited(client, Bucket, listed, options, abortSignal);
  if (options.exact === true)
    return inParallel(listed, CONCURRENCY, (object) => exactly(client, Bucket, object, options));
  return (async function* () {
    for await (const object of listed) {
      yield { ...object, size: sizeIfEncrypted(object.Size ?? 0), sizeIs: "if-encrypted-by-us" as const };
    }
  })();
}

async function exactly(
  client: S3Client,
  Bucket: string,
  object: StoredObject,
  options: ListOptions,
): Promise<SizedObject> {
  if (object.isPrefix === true) return { ...object, sizeIs: "unknown" };
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: object.Key }));
  const size = plaintextSize(head);
  if (size !== undefined) return { ...object, size, sizeIs: "exact" };
  if (holdsEnvelope(head.Metadata ?? {})) return { ...object, sizeIs: "unknown" };
  const [found] = await all(auditObjects(client, one(object), auditOptions(Bucket, options)));
  return withAudited(object, found, head.ContentLength);
}

async function* audited(
  client: S3Client,
  Bucket: string,
  listed: AsyncIterable<StoredObject>,
  options: ListOptions,
  abortSignal: AbortSignal,
): AsyncGenerator<SizedObject> {
  // Prefixes are no objects, and come between them.
  const waiting: StoredObject[] = [];
  const objects = async function* (): AsyncGenerator<StoredObject> {
    for await (const entry of listed) {
      waiting.push(entry);
      if (entry.isPrefix !== true) yield entry;
    }
  };
  function* prefixes(): Generator<SizedObject> {
    while (waiting[0]?.isPrefix === true) {
      const prefix = waiting.shift();
      if (prefix !== undefined) yield { ...prefix, sizeIs: "unknown" };
    }
  }
  for await (const found of auditObjects(client, objects(), { ...auditOptions(Bucket, options), abortSignal })) {
    yield* prefixes();
    const object = waiting.shift();
    if (object !== undefined) yield { ...withAudited(object, found, object.Size), audited: found };
  }
  yield* prefixes();
}

function auditOptions(Bucket: string, { suffix }: ListOptions): Parameters<typeof auditObjects>[2] {
  const suffixes = suffix === undefined ? {} : { instructionFileSuffixes: [suffix] };
  return { Bucket, areFilesListed: true, ...suffixes };
}

function withAudited(object: StoredObject, found: AuditedObject | undefined, stored: number | undefined): SizedObject {
  if (found === undefined || found.state === "unknown" || found.state === "unreadable") {
    return { ...object, sizeIs: "unknown" };
  }
  const size = found.state === "encrypted" ? (found.contentLength ?? undefined) : stored;
  return { ...object, ...(size === undefined ? { sizeIs: "unknown" } : { size, sizeIs: "exact" }) };
}

function entryOf(bucket: string, { Key, Size, ETag, LastModified, size, sizeIs, audited: found }: SizedObject): object {
  const how = found === undefined ? {} : { state: found.state, format: found.format, wraps: wrapsIn(found) };
  return { bucket, key: Key, size, sizeIs, storedSize: Size, lastModified: LastModified, etag: ETag, ...how };
}

function wrapsIn({ wraps }: AuditedObject): readonly string[] {
  return [...new Set(wraps.map(({ wrapAlgorithm }) => wrapAlgorithm))];
}

async function* one(object: StoredObject): AsyncGenerator<StoredObject> {
  yield { Key: object.Key };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
