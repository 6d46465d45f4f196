import { formatAddress, type ObjectAddress } from "../object-address.js";

/** An object as lines of JSON name it. */
export interface NamedObject {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

/** Every command names an object alike, whatever the functions of the packages call it. */
export function named(
  Bucket: string,
  { Key, VersionId }: { readonly Key: string; readonly VersionId?: string | undefined },
): NamedObject {
  return { bucket: Bucket, key: Key, ...(VersionId === undefined ? {} : { versionId: VersionId }) };
}

/** Something that has been done with one file or object, as `cp` says it of many. */
export function doneLine(
  operation: string,
  from: string | ObjectAddress,
  to: string | ObjectAddress | undefined,
  told: object,
): object {
  const shown = (place: string | ObjectAddress): string => (typeof place === "string" ? place : formatAddress(place));
  return { operation, from: shown(from), ...(to === undefined ? {} : { to: shown(to) }), state: "done", ...told };
}

/** What S3 answered of an object, as far as it did. */
export function answered({
  ETag,
  VersionId,
}: {
  readonly ETag?: string | undefined;
  readonly VersionId?: string | undefined;
}): { readonly etag?: string; readonly versionId?: string } {
  return {
    ...(ETag === undefined ? {} : { etag: ETag }),
    ...(VersionId === undefined ? {} : { versionId: VersionId }),
  };
}
