/** An object, or a version of one, as a source names it. What a source does not say is absent. */
export interface StoredObject {
  /** As S3 has it: whatever the source escaped is decoded, once. */
  readonly Key: string;
  /** Absent where the current object is meant, whichever version that is. */
  readonly VersionId?: string;
  /** Whether `Key` is what several keys begin with, up to the `Delimiter` of a listing. Default false. */
  readonly isPrefix?: boolean;
  /** Whether it is the newest version of its key. Absent where no version is named. */
  readonly isLatest?: boolean;
  /** Whether the version says that the object was deleted, and holds nothing. Default false. */
  readonly isDeleteMarker?: boolean;
  /** Bytes in S3. */
  readonly Size?: number;
  /** In quotes, as S3 sends it. */
  readonly ETag?: string;
  /** By the second, and of what was stored in parts when that was begun. */
  readonly LastModified?: Date;
}
