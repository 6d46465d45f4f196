import {
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  paginateListBuckets,
  type S3Client,
} from "@aws-sdk/client-s3";
import { type AuditedObject, auditObjects, inParallel, listObjects, type StoredObject } from "@s3ec/bulk";
import { plaintextSize } from "@s3ec/client";
import { holdsEnvelope } from "@s3ec/envelope";
import type { ConnectionOptions } from "../connection.js";
import { EXIT_CODES } from "../exit-codes.js";
import type { ObjectAddress } from "../object-address.js";
import { isRead, print } from "../printing.js";
import { isServiceError } from "../service-message.js";
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
  const places = new Set<string>();
  for await (const { Buckets = [], ContinuationToken } of paginateListBuckets({ client }, {})) {
    if (ContinuationToken !== undefined && places.has(ContinuationToken)) {
      throw new Error("The store's list of buckets does not end: it goes on where it was before.");
    }
    places.add(ContinuationToken ?? "");
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
): AsyncGenerator<SizedObject> {
  const auditing = { ...auditOptions(Bucket, options), abortSignal };
  if (options.long === true) return audited(client, listed, auditing);
  if (options.exact === true) return inParallel(listed, CONCURRENCY, (object) => exactly(client, object, auditing));
  return (async function* () {
    for await (const object of listed) {
      yield { ...object, size: sizeIfEncrypted(object.Size ?? 0), sizeIs: "if-encrypted-by-us" as const };
    }
  })();
}

async function exactly(client: S3Client, object: StoredObject, auditing: Auditing): Promise<SizedObject> {
  if (object.isPrefix === true) return { ...object, sizeIs: "unknown" };
  const { Bucket, abortSignal } = auditing;
  let head: HeadObjectCommandOutput;
  try {
    head = await client.send(new HeadObjectCommand({ Bucket, Key: object.Key }), { abortSignal });
  } catch (error) {
    // It may not be read, or has gone since it was listed: the others have their sizes all the same.
    if (!isClientError(error)) throw error;
    return { ...object, sizeIs: "unknown" };
  }
  const size = plaintextSize(head);
  if (size !== undefined) return { ...object, size, sizeIs: "exact" };
  if (holdsEnvelope(head.Metadata ?? {})) return { ...object, sizeIs: "unknown" };
  for await (const found of auditObjects(client, these([object]), auditing)) return withAudited(object, found);
  return { ...object, sizeIs: "unknown" };
}

function isClientError(error: unknown): boolean {
  const status = isServiceError(error) ? (error.$metadata.httpStatusCode ?? 0) : 0;
  return status >= 400 && status < 500;
}

/** Objects that are held until they are asked: about those of a page, whose prefixes come before them. */
const PAGE = 1000;

async function* audited(
  client: S3Client,
  listed: AsyncIterable<StoredObject>,
  auditing: Auditing,
): AsyncGenerator<SizedObject> {
  let waiting: StoredObject[] = [];
  const settled = async function* (): AsyncGenerator<SizedObject> {
    const objects = waiting[Symbol.iterator]();
    const all = waiting;
    waiting = [];
    for await (const found of auditObjects(client, these(all), auditing)) {
      const { value: object } = objects.next();
      if (object !== undefined) yield { ...withAudited(object, found), audited: found };
    }
  };
  for await (const entry of listed) {
    if (entry.isPrefix === true || waiting.length >= PAGE) yield* settled();
    if (entry.isPrefix === true) yield { ...entry, sizeIs: "unknown" };
    else waiting.push(entry);
  }
  yield* settled();
}

type Auditing = ReturnType<typeof auditOptions> & { readonly abortSignal: AbortSignal };

function auditOptions(Bucket: string, { suffix }: ListOptions): Parameters<typeof auditObjects>[2] {
  const suffixes = suffix === undefined ? {} : { instructionFileSuffixes: [suffix] };
  return { Bucket, areFilesListed: true, ...suffixes };
}

function withAudited(object: StoredObject, { state, contentLength, storedLength }: AuditedObject): SizedObject {
  if (state === "unknown" || state === "unreadable") return { ...object, sizeIs: "unknown" };
  const size = state === "encrypted" ? (contentLength ?? undefined) : storedLength;
  return { ...object, ...(size === undefined ? { sizeIs: "unknown" } : { size, sizeIs: "exact" }) };
}

function entryOf(bucket: string, { Key, Size, ETag, LastModified, size, sizeIs, audited: found }: SizedObject): object {
  const how = found === undefined ? {} : { state: found.state, format: found.format, wraps: wrapsIn(found) };
  const bytes = size === undefined ? {} : { bytes: size };
  return {
    bucket,
    key: Key,
    ...bytes,
    bytesAre: sizeIs,
    storedBytes: Size,
    lastModified: LastModified,
    etag: ETag,
    ...how,
  };
}

function wrapsIn({ wraps }: AuditedObject): readonly string[] {
  return [...new Set(wraps.map(({ wrapAlgorithm }) => wrapAlgorithm))];
}

async function* these(objects: readonly StoredObject[]): AsyncGenerator<StoredObject> {
  for (const { Key } of objects) yield { Key };
}
