import { randomBytes } from "node:crypto";
import { S3Error } from "../s3-error.js";
import type { DeleteMarker, ObjectRecord, Version } from "./object-record.js";

/** Whether a bucket keeps versions; undefined when it never did. */
export type Versioning = "Enabled" | "Suspended" | undefined;

/** The id of every version that is put while versioning is not enabled. */
export const nullVersion = "null";

/** The versions of one key, newest first, and those that a change has removed from them. */
export interface VersionChange {
  readonly versions: readonly Version[];
  readonly removed: readonly Version[];
}

/** The id of a version that is about to be put. */
export function newVersionId(versioning: Versioning): string {
  return versioning === "Enabled" ? randomBytes(24).toString("base64url") : nullVersion;
}

/** Puts a version above all others; one without an id of its own takes the place of the one before it. */
export function withVersion(versions: readonly Version[], added: Version): VersionChange {
  const { versions: others, removed } = withoutVersion(versions, added.versionId);
  return { versions: [added, ...others], removed };
}

/** Takes one version away, where it is there. */
export function withoutVersion(versions: readonly Version[], versionId: string): VersionChange {
  return {
    versions: versions.filter((version) => version.versionId !== versionId),
    removed: versions.filter((version) => version.versionId === versionId),
  };
}

/** Whether it stands for a deletion. */
export function isDeleteMarker(version: Version | undefined): version is DeleteMarker {
  return version !== undefined && "isDeleteMarker" in version;
}

/** The object that a read without a version id sees. */
export function currentObject(versions: readonly Version[]): ObjectRecord | undefined {
  const [newest] = versions;
  return newest === undefined || isDeleteMarker(newest) ? undefined : newest;
}

/**
 * The object of a version id, or the current one.
 * @throws S3Error as S3 answers where there is none, and where a delete marker stands.
 */
export function requireObject(versions: readonly Version[], key: string, versionId: string | undefined): ObjectRecord {
  if (versionId !== undefined) requireVersionId(versionId);
  const found = versionId === undefined ? versions[0] : versions.find((version) => version.versionId === versionId);
  if (found === undefined)
    throw versionId === undefined
      ? new S3Error("NoSuchKey", "The specified key does not exist.", { Key: key })
      : new S3Error("NoSuchVersion", "The specified version does not exist.", { Key: key, VersionId: versionId });
  if (!isDeleteMarker(found)) return found;
  const marked = { "x-amz-delete-marker": "true", "x-amz-version-id": found.versionId };
  throw versionId === undefined
    ? new S3Error("NoSuchKey", "The specified key does not exist.", { Key: key }, marked)
    : new S3Error(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        { ResourceType: "DeleteMarker" },
        { ...marked, allow: "DELETE", "last-modified": new Date(found.modified).toUTCString() },
      );
}

/** @throws S3Error `InvalidArgument` for what is no id of a version */
export function requireVersionId(versionId: string): void {
  if (versionId !== nullVersion && !/^[\w-]{32}$/.test(versionId))
    throw new S3Error("InvalidArgument", "Invalid version id specified", {
      ArgumentName: "versionId",
      ArgumentValue: versionId,
    });
}
