import { S3Error } from "../s3-error.js";
import { type S3Handler, sendXml } from "../s3-exchange.js";
import type { Bucket } from "../store/bucket.js";
import type { Version } from "../store/object-record.js";
import { isDeleteMarker } from "../store/versions.js";
import { element, leaf, xmlDocument } from "../xml.js";
import { isAfter, listedObject, listingOf, pageOf } from "./listing.js";

/** A version, and whether it is the newest of its key. */
interface ListedVersion {
  readonly key: string;
  readonly version: Version;
  readonly isLatest: boolean;
}

export const listObjectVersions: S3Handler = async ({ store }, exchange) => {
  const { bucket: name, query } = exchange;
  const bucket = store.bucket(name);
  const { encode, encodingType, maxKeys, prefix, delimiter } = listingOf(query);
  const keyMarker = query.get("key-marker") ?? "";
  const versionMarker = query.get("version-id-marker") || undefined;
  if (versionMarker !== undefined && keyMarker === "")
    throw new S3Error("InvalidArgument", "A version-id marker cannot be specified without a key marker.");
  const page = pageOf(versionsAfter(bucket, keyMarker, versionMarker), {
    prefix,
    delimiter,
    after: keyMarker,
    most: maxKeys,
  });
  const last = page.entries.at(-1);
  await sendXml(
    exchange,
    xmlDocument(
      "ListVersionsResult",
      leaf("Name", name),
      leaf("Prefix", encode(prefix)),
      leaf("KeyMarker", encode(keyMarker)),
      leaf("VersionIdMarker", versionMarker ?? ""),
      leaf("MaxKeys", maxKeys),
      leaf("Delimiter", delimiter && encode(delimiter)),
      leaf("EncodingType", encodingType),
      leaf("IsTruncated", page.isTruncated),
      ...(page.isTruncated && page.last !== undefined
        ? [
            leaf("NextKeyMarker", encode(page.last)),
            leaf("NextVersionIdMarker", last?.key === page.last ? last.version.versionId : undefined),
          ]
        : []),
      ...page.entries.map((entry) => listedVersion(entry, encode)),
      ...page.prefixes.map((common) => element("CommonPrefixes", leaf("Prefix", encode(common)))),
    ),
  );
};

function* versionsAfter(
  bucket: Bucket,
  keyMarker: string,
  versionMarker: string | undefined,
): Generator<ListedVersion> {
  for (const key of bucket.sortedKeys) {
    const versions = bucket.versions(key);
    const marked = key === keyMarker ? versions.findIndex(({ versionId }) => versionId === versionMarker) : -1;
    if (marked < 0 && !isAfter(key, keyMarker)) continue;
    for (const [index, version] of versions.entries())
      if (index > marked) yield { key, version, isLatest: index === 0 };
  }
}

function listedVersion({ key, version, isLatest }: ListedVersion, encode: (text: string) => string): string {
  const named = [leaf("Key", encode(key)), leaf("VersionId", version.versionId), leaf("IsLatest", isLatest)];
  return isDeleteMarker(version)
    ? element("DeleteMarker", ...named, leaf("LastModified", new Date(version.modified).toISOString()))
    : element("Version", ...named, ...listedObject(version));
}
