import {
  type _Object,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import type { StoredObject } from "./stored-object.js";

/** What is listed. */
export interface ListObjectsOptions {
  /** The bucket, or an access point. */
  readonly Bucket: string;
  /** What keys begin with. Default: anything. */
  readonly Prefix?: string;
  /**
   * What ends a name below the prefix, such as `/`: keys that hold it are given once for all that begin alike, as `isPrefix`,
   * before the objects of their page. Not of versions. Default: none.
   */
  readonly Delimiter?: string;
  /** That the requester pays. */
  readonly RequestPayer?: "requester";
  /** Every version and delete marker, in place of the current objects. Default false. */
  readonly versions?: boolean;
  /** Ends the listing, which then throws. */
  readonly abortSignal?: AbortSignal;
}

const OPTIONS: OptionNames<ListObjectsOptions> = {
  Bucket: true,
  Prefix: true,
  Delimiter: true,
  RequestPayer: true,
  versions: true,
  abortSignal: true,
};

/**
 * The objects below a prefix, in S3's order, a page of 1,000 at a time.
 *
 * @throws S3EncryptionError `invalid-argument` for wrong options; S3's own errors
 */
export async function* listObjects(client: S3Client, options: ListObjectsOptions): AsyncGenerator<StoredObject> {
  assertKnownOptions(options, OPTIONS, "listObjects");
  const { Bucket, Prefix, Delimiter, RequestPayer, versions = false, abortSignal } = options;
  if (typeof Bucket !== "string" || Bucket === "") {
    throw new S3EncryptionError("invalid-argument", "listObjects must be told a Bucket.");
  }
  if (versions && Delimiter !== undefined) {
    throw new S3EncryptionError("invalid-argument", "A listing of versions takes no Delimiter.");
  }
  const listed = {
    Bucket,
    ...(Prefix === undefined ? {} : { Prefix }),
    ...(RequestPayer === undefined ? {} : { RequestPayer }),
    EncodingType: "url",
  } as const;
  const delimited = Delimiter === undefined ? {} : { Delimiter };
  const request = abortSignal === undefined ? {} : { abortSignal };
  if (versions) {
    yield* allVersions(
      async (from) => await client.send(new ListObjectVersionsCommand({ ...listed, ...from }), request),
    );
    return;
  }
  let ContinuationToken: string | undefined;
  const course = new Course();
  do {
    const token = ContinuationToken === undefined ? {} : { ContinuationToken };
    const page = await client.send(new ListObjectsV2Command({ ...listed, ...delimited, ...token }), request);
    assertListing(page);
    for (const { Prefix: common = "" } of page.CommonPrefixes ?? []) {
      yield { Key: decoded(common, page.EncodingType), isPrefix: true };
    }
    for (const entry of page.Contents ?? []) yield storedObject(entry, page.EncodingType);
    ContinuationToken = course.next(page.IsTruncated, page.NextContinuationToken);
  } while (ContinuationToken !== undefined);
}

type Marker = { readonly KeyMarker?: string; readonly VersionIdMarker?: string };

async function* allVersions(
  pageAfter: (marker: Marker) => Promise<ListObjectVersionsCommandOutput>,
): AsyncGenerator<StoredObject> {
  let marker: Marker | undefined = {};
  const course = new Course();
  while (marker !== undefined) {
    const page: ListObjectVersionsCommandOutput = await pageAfter(marker);
    assertListing(page);
    const { Versions = [], DeleteMarkers = [], EncodingType } = page;
    for (const version of Versions) {
      const { VersionId, IsLatest: isLatest = false } = version;
      yield { ...storedObject(version, EncodingType), ...(VersionId === undefined ? {} : { VersionId }), isLatest };
    }
    for (const { VersionId, IsLatest: isLatest = false, ...rest } of DeleteMarkers) {
      const named = VersionId === undefined ? {} : { VersionId };
      yield { ...storedObject(rest, EncodingType), ...named, isLatest, isDeleteMarker: true };
    }
    const { NextKeyMarker, NextVersionIdMarker: VersionIdMarker } = page;
    const KeyMarker = NextKeyMarker === undefined ? undefined : decoded(NextKeyMarker, EncodingType);
    const next = JSON.stringify([KeyMarker, VersionIdMarker]);
    marker =
      course.next(page.IsTruncated, KeyMarker === undefined ? undefined : next) === undefined
        ? undefined
        : { KeyMarker: KeyMarker ?? "", ...(VersionIdMarker === undefined ? {} : { VersionIdMarker }) };
  }
}

/** An answer without a body is read as one that names nothing: whoever deletes by it would take that for an empty bucket. */
function assertListing({ IsTruncated, Name }: Pick<ListObjectVersionsCommandOutput, "IsTruncated" | "Name">): void {
  if (IsTruncated !== undefined || Name !== undefined) return;
  throw new Error("The store's listing breaks off: it says neither of what it is, nor whether there is more.");
}

/**
 * Where a listing goes on. One that says it is not whole, and not how to go on, must not pass for a whole one; nor may one go
 * round in a circle for ever, of whatever length: it meets a place that was kept, since those are kept after 1, 2, 4, 8 pages.
 */
class Course {
  #kept: string | undefined;
  #pages = 0;

  next(isTruncated: boolean | undefined, next: string | undefined): string | undefined {
    if (isTruncated !== true) return undefined;
    if (next === undefined) throw breaksOff("it says that there is more, and not where");
    if (next === this.#kept) throw breaksOff("it goes on where it was before");
    this.#pages += 1;
    if (Number.isInteger(Math.log2(this.#pages))) this.#kept = next;
    return next;
  }
}

function breaksOff(why: string): Error {
  return new Error(`The store's listing breaks off: ${why}.`);
}

function storedObject(
  entry: Pick<_Object, "Key" | "Size" | "ETag" | "LastModified">,
  encoding: string | undefined,
): StoredObject {
  const { Key, Size, ETag, LastModified } = entry;
  if (Key === undefined) throw new Error("The store's listing holds an entry without a key.");
  return {
    Key: decoded(Key, encoding),
    ...(Size === undefined ? {} : { Size }),
    ...(ETag === undefined ? {} : { ETag }),
    ...(LastModified === undefined ? {} : { LastModified }),
  };
}

/** A store that escapes says so in its answer; of one that does not, the key is as it stands. */
function decoded(key: string, encoding: string | undefined): string {
  return encoding === "url" ? decodedKey(key) : key;
}

/**
 * A key as S3 has it, of what S3's listings, inventories and Batch Operations make of it: they escape keys as in a query, where a space is a
 * plus. To be called once.
 *
 * @throws S3EncryptionError `invalid-argument` for what is no such text
 */
export function decodedKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    throw new S3EncryptionError("invalid-argument", `This is no URL-encoded key: ${JSON.stringify(key)}.`);
  }
}
