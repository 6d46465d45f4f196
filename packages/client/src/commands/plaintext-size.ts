import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { S3Format } from "@s3ec/format-s3";
import { assertKnownOptions, S3EncryptionError } from "@s3ec/materials";
import { isMissing } from "../s3-errors.js";

/** What a size is found in: the output of a `HeadObjectCommand` or `GetObjectCommand` of a client that does not decrypt. */
export interface StoredSize {
  /** Bytes in S3. */
  readonly ContentLength?: number | undefined;
  /** The object's user metadata. Default: none. */
  readonly Metadata?: Readonly<Record<string, string>> | undefined;
}

const S3_FORMAT = new S3Format();

/**
 * Plaintext bytes of an object, from what S3 says about it without any key: exact for what the S3 formats write today.
 * Undefined where S3 does not say: for CBC, unless its writer left the length; for an object whose envelope is in an
 * instruction file of format V1 or V2; for a message; for one that no encryption client wrote. Not authenticated: whoever
 * can write to the bucket can change it.
 */
export function plaintextSize({ ContentLength, Metadata = {} }: StoredSize): number | undefined {
  return ContentLength === undefined ? undefined : S3_FORMAT.plaintextLength(Metadata, ContentLength);
}

/** A page of a listing: S3's answer to a `ListObjectsV2Command` or `ListObjectsCommand`, or entries and their bucket. */
export interface ObjectListing<Entry> {
  /** The entries, whose keys are looked up. Default: none. */
  readonly Contents?: readonly Entry[] | undefined;
  /** Where the entries are; an access point, too. Default: `Name`. */
  readonly Bucket?: string | undefined;
  /** The bucket, as S3 answers it. */
  readonly Name?: string | undefined;
  /** `url` where the command asked for keys that are escaped. They stay so, and the objects are found. */
  readonly EncodingType?: string | undefined;
}

/** An entry of a listing, with the size of what it was encrypted from. */
export type WithPlaintextSize<Entry> = Entry & {
  /** Bytes of plaintext; undefined where S3 does not say, or the object is gone. Not authenticated. */
  readonly PlaintextSize: number | undefined;
};

/**
 * Adds plaintext sizes to the entries of a listing, in their order. A listing holds no metadata, so this costs one
 * HeadObject for each entry, `queueSize` (default 8) of them at once. An object that is gone by then has no size.
 *
 * @throws S3EncryptionError `invalid-argument` for a listing without its bucket, and for wrong options
 */
export async function* withPlaintextSizes<Entry extends { readonly Key?: string | undefined }>(
  client: S3Client,
  listing: ObjectListing<Entry>,
  options: { readonly queueSize?: number } = {},
): AsyncGenerator<WithPlaintextSize<Entry>> {
  assertKnownOptions(options, { queueSize: true }, "withPlaintextSizes");
  const { queueSize = 8 } = options;
  if (!Number.isSafeInteger(queueSize) || queueSize < 1) {
    throw new S3EncryptionError("invalid-argument", "queueSize must be a number of requests, 1 or more.");
  }
  const { Contents = [], Name, Bucket = Name, EncodingType } = listing;
  if (Bucket === undefined) {
    throw new S3EncryptionError("invalid-argument", "The listing must say its bucket: pass S3's answer, or Bucket.");
  }
  const sizeOf = async (entry: Entry): Promise<WithPlaintextSize<Entry>> => {
    try {
      const head = await client.send(
        new HeadObjectCommand({ Bucket, Key: EncodingType === "url" ? unescaped(entry.Key) : entry.Key }),
      );
      return { ...entry, PlaintextSize: plaintextSize(head) };
    } catch (error) {
      if (isMissing(error)) return { ...entry, PlaintextSize: undefined };
      throw error;
    }
  };
  for (let start = 0; start < Contents.length; start += queueSize) {
    yield* await Promise.all(Contents.slice(start, start + queueSize).map(sizeOf));
  }
}

/** A space is escaped as in a query. */
function unescaped(key: string | undefined): string | undefined {
  return key === undefined ? undefined : decodeURIComponent(key.replaceAll("+", " "));
}
