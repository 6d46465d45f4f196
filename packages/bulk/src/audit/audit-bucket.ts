import { ListMultipartUploadsCommand, type S3Client } from "@aws-sdk/client-s3";
import { assertKnownOptions } from "@s3ec/materials";
import { inParallel } from "../in-parallel.js";
import { listObjects } from "../sources/list-objects.js";
import { filterObjects, type ObjectFilter } from "../sources/object-filter.js";
import type { StoredObject } from "../sources/stored-object.js";
import { auditObject } from "./audit-object.js";
import { AUDIT, type AuditOptions, auditingOf, concurrencyOf } from "./audit-objects.js";
import type { Auditing } from "./audit-target.js";
import type { AuditedObject } from "./audited-object.js";
import { problemOf } from "./problem.js";
import { versioningOf } from "./store-time.js";

/** Which bucket, how much of it, and how. */
export interface AuditBucketOptions extends AuditOptions {
  /** What keys begin with. Default: anything, which alone can say something of the whole bucket. */
  readonly Prefix?: string;
  /** Every version, in place of the current objects. Default false. */
  readonly versions?: boolean;
  /** Which of them are looked at; with one, nothing is said of the whole bucket. Default: all. */
  readonly filter?: ObjectFilter;
}

/** What an audit of a bucket has covered. */
export interface AuditCoverage {
  /** Whether all of the bucket was looked at: no prefix and no filter. */
  readonly isWhole: boolean;
  /** What may be there and was not looked at, in sentences; empty where there is nothing known to be. */
  readonly unknown: readonly string[];
  /**
   * What was stored or annotated after this time may not have been looked at: whoever writes with a key must have stopped by then.
   * The start of the audit, but where the store has no annotations.
   */
  readonly writersStoppedBy: Date | undefined;
}

/** How often a bucket that others write to meanwhile is listed again. */
const MAX_ROUNDS = 10;

/**
 * Audits what a bucket holds, by listing it, and listing it again until nothing new is found: `auditObjects` of all of that.
 * Returns what it has covered.
 *
 * @param client an `S3Client`, which may be one that encrypts
 * @throws S3EncryptionError `invalid-argument` for wrong options; S3's own errors where the bucket cannot be listed
 */
export async function* auditBucket(
  client: S3Client,
  options: AuditBucketOptions,
): AsyncGenerator<AuditedObject, AuditCoverage> {
  assertKnownOptions(options, { ...AUDIT, Prefix: true, versions: true, filter: true }, "auditBucket");
  const { Prefix = "", versions = false, filter } = options;
  // A filter by size or name leaves them out.
  const auditing = auditingOf(client, options, filter === undefined);
  const unknown: string[] = [...(await versionsUnknown(auditing, versions)), ...(await pendingUploads(auditing))];
  const recent = new RecentObjects();
  let began: Date | undefined;
  let first: Date | undefined;
  let isQuiet = false;
  for (let round = 0; round < MAX_ROUNDS && !isQuiet; round++) {
    const since = began;
    began = await timeOf(auditing);
    if (round === 0) first = began;
    const listed = listObjects(auditing.client, {
      Bucket: auditing.Bucket,
      ...(Prefix === "" ? {} : { Prefix }),
      versions,
      ...auditing.request,
    });
    let found = 0;
    const meant = filter === undefined ? listed : filterObjects(listed, filter);
    const news = recent.newOf(meant, since, began);
    for await (const audited of inParallel(news, concurrencyOf(options), (each) => auditObject(auditing, each))) {
      found += 1;
      yield audited;
    }
    options.abortSignal?.throwIfAborted();
    isQuiet = round > 0 && found === 0;
    // Without its clock, nothing tells what is new.
    if (began === undefined) {
      unknown.push("The store does not tell its time, so that what came during the audit is not known.");
      break;
    }
  }
  if (began !== undefined && !isQuiet)
    unknown.push("Others write to it again and again: every listing brought something new.");
  // Of an object that was looked at before another one showed that the store knows them.
  if (auditing.store.knowsAnnotations && auditing.store.hidesAnnotations) {
    unknown.push("The store shows annotations of some objects, and not of others: there may be wrapped keys in them.");
  }
  unknown.push(...(await pendingUploads(auditing)));
  const { knowsAnnotations, hidesAnnotations } = auditing.store;
  // No listing shows that a wrap was annotated since to an object that was looked at.
  const mayBeAnnotated = knowsAnnotations || !hidesAnnotations;
  return {
    isWhole: Prefix === "" && filter === undefined,
    unknown: [...new Set(unknown)],
    writersStoppedBy: mayBeAnnotated ? first : began,
  };
}

/** What may be listed again, and was looked at. */
class RecentObjects {
  readonly #seen = new Set<string>();

  /** Of a listing that began then, those that were stored since another one had begun, and were not in it. */
  async *newOf(
    listed: AsyncIterable<StoredObject>,
    since: Date | undefined,
    began: Date | undefined,
  ): AsyncGenerator<StoredObject> {
    const from = since === undefined ? Number.NEGATIVE_INFINITY : since.getTime() - CLOCKS;
    const remembered = since === undefined ? (began?.getTime() ?? Number.POSITIVE_INFINITY) - CLOCKS : from;
    for await (const object of listed) {
      const modified = object.LastModified?.getTime() ?? Number.POSITIVE_INFINITY;
      if (modified < from) continue;
      if (modified >= remembered) {
        const name = JSON.stringify([object.Key, object.VersionId, object.ETag, object.LastModified]);
        if (this.#seen.has(name)) continue;
        this.#seen.add(name);
      }
      yield object;
    }
  }
}

/** Milliseconds by which the clocks of a store may differ, and by which its times are no finer. */
const CLOCKS = 60_000;

async function timeOf({ client, Bucket, request }: Auditing): Promise<Date | undefined> {
  return await versioningOf(client, Bucket, request).then(
    ({ time }) => time,
    () => undefined,
  );
}

async function versionsUnknown({ client, Bucket, request }: Auditing, versions: boolean): Promise<string[]> {
  try {
    const { Status } = await versioningOf(client, Bucket, request);
    if (Status === undefined || versions) return [];
    return [
      "The bucket keeps versions, or has kept some, and only the current objects were looked at (versions: true looks at all).",
    ];
  } catch (error) {
    return versions ? [] : [problemOf(error, "Whether the bucket keeps versions")];
  }
}

async function pendingUploads({ client, Bucket, request }: Auditing): Promise<string[]> {
  try {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1 }), request);
    return Uploads.length === 0 ? [] : ["Uploads in parts have begun and not ended: complete or abort them."];
  } catch (error) {
    return [problemOf(error, "Whether uploads in parts are under way")];
  }
}
