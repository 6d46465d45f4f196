import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import picomatch from "picomatch";
import type { StoredObject } from "./stored-object.js";

/** Which objects of a source are meant: those that all of this is true of. */
export interface ObjectFilterOptions {
  /** A pattern for whole keys: `*` for what holds no slash, `**` for whatever does. */
  readonly glob?: string;
  /** Bytes in S3. */
  readonly largerThan?: number;
  /** Bytes in S3. */
  readonly smallerThan?: number;
  /** Last modified before. */
  readonly olderThan?: Date;
  /** Last modified at or after. */
  readonly newerThan?: Date;
}

/** Whether an object is meant. */
export type ObjectFilter = (object: StoredObject) => boolean;

const OPTIONS: OptionNames<ObjectFilterOptions> = {
  glob: true,
  largerThan: true,
  smallerThan: true,
  olderThan: true,
  newerThan: true,
};

/**
 * Tells which objects are meant.
 *
 * @throws S3EncryptionError `invalid-argument` for wrong options; the filter itself for an object of which its source does
 *   not say what is asked
 */
export function objectFilter(options: ObjectFilterOptions): ObjectFilter {
  assertKnownOptions(options, OPTIONS, "objectFilter");
  const { glob, largerThan = -1, smallerThan = Number.POSITIVE_INFINITY, olderThan, newerThan } = options;
  for (const bytes of [largerThan, smallerThan]) {
    if (typeof bytes !== "number" || Number.isNaN(bytes)) throw invalid("largerThan and smallerThan must be bytes.");
  }
  for (const time of [olderThan, newerThan]) {
    if (time !== undefined && !(time.getTime() >= 0)) throw invalid("olderThan and newerThan must be dates.");
  }
  if (glob === "") throw invalid("The glob must not be empty.");
  const isNamed = glob === undefined ? () => true : picomatch(glob, { dot: true, nonegate: true, windows: false });
  const asksSize = options.largerThan !== undefined || options.smallerThan !== undefined;
  return ({ Key, Size, LastModified, isDeleteMarker }) => {
    if (!isNamed(Key)) return false;
    if (asksSize && isDeleteMarker !== true) {
      if (Size === undefined) throw invalid("The source of the objects does not say how large they are.");
      if (!(Size > largerThan && Size < smallerThan)) return false;
    }
    if (olderThan === undefined && newerThan === undefined) return true;
    if (LastModified === undefined) throw invalid("The source of the objects does not say when they were modified.");
    const isOld = olderThan === undefined || LastModified < olderThan;
    return isOld && (newerThan === undefined || LastModified >= newerThan);
  };
}

/** Those of a source that are meant. */
export async function* filterObjects(
  objects: AsyncIterable<StoredObject>,
  filter: ObjectFilter,
): AsyncGenerator<StoredObject> {
  for await (const object of objects) if (filter(object)) yield object;
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
