import { GetObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { S3Format } from "@s3ec/format-s3";
import {
  assertKnownOptions,
  type Inspection,
  type ObjectFormat,
  type OptionNames,
  S3EncryptionError,
  type WrapAlgorithm,
} from "@s3ec/materials";
import { plainClientOf } from "../plain-client.js";
import { destroyStream } from "../streams.js";
import { type AnnotatedRecipient, annotatedRecipients } from "./annotated-recipients.js";
import { answeredBody } from "./answered-body.js";
import { BesideObject } from "./beside-object.js";
import {
  inBody,
  otherFormats,
  type RecognisedObject,
  recognise,
  recognisedByMetadata,
  recognisedBySibling,
} from "./recognise.js";

/** Which object to describe, and what may be known of it already. */
export interface InspectOptions {
  /** Its bucket. */
  readonly Bucket: string;
  /** Its key. */
  readonly Key: string;
  /** The version to describe. Default: the current one. */
  readonly VersionId?: string;
  /** Formats to look for. Default: `new S3Format()`. */
  readonly formats?: readonly ObjectFormat[];
  /** Wraps of keyrings of your own, as their `wrapAlgorithms` have them. Default: the official ones only. */
  readonly wrapAlgorithms?: readonly WrapAlgorithm[];
  /** The instruction file to look at, even where the metadata holds a wrapped key. Default: as a reader would. */
  readonly instructionFileSuffix?: string;
  /** What a `HeadObjectCommand` has answered about the object. Default: it is asked. */
  readonly head?: Pick<HeadObjectCommandOutput, "Metadata" | "ContentLength" | "ETag">;
}

/** What is stored about an object. */
export interface InspectedObject {
  /** Name of the format that recognised it. */
  readonly formatName: string;
  /** What that format says of it. */
  readonly inspection: Inspection;
  /**
   * Further recipients, in annotations of the object; null where those may not be listed, so that there may be some.
   * `listRecipients` tells those in files, too.
   */
  readonly recipients: readonly AnnotatedRecipient[] | null;
}

const OPTIONS: OptionNames<InspectOptions> = {
  Bucket: true,
  Key: true,
  VersionId: true,
  formats: true,
  wrapAlgorithms: true,
  instructionFileSuffix: true,
  head: true,
};

/**
 * Says how an object is encrypted, from what is stored about it: needs no key, and reads no more of the object than its
 * head, and what is annotated to it. Nothing of the answer is authenticated. The client may be one that encrypts.
 *
 * @throws S3EncryptionError `not-encrypted`, `malformed-envelope`, `invalid-argument`; S3's own errors
 */
export async function inspectObject(client: S3Client, options: InspectOptions): Promise<InspectedObject> {
  if (typeof client?.send !== "function") {
    throw new S3EncryptionError("invalid-argument", "Pass an S3Client to inspectObject, then { Bucket, Key }.");
  }
  assertKnownOptions(options, OPTIONS, "inspectObject");
  const { formats = [new S3Format()], instructionFileSuffix: siblingSuffix, head: given, wrapAlgorithms } = options;
  const { Bucket, Key, VersionId } = options;
  const object = { Bucket, Key, ...(VersionId === undefined ? {} : { VersionId }) };
  const plain = plainClientOf(client);
  const output = given ?? (await plain.send(new HeadObjectCommand(object)));
  const beside = new BesideObject(object, {
    get: (file) => plain.send(new GetObjectCommand(file)),
    client: () => plain,
    signal: undefined,
  });
  const { Metadata = {}, ContentLength: storedLength = 0 } = output;
  const { format, head } = await formatOfStored(plain, formats, { object, output, siblingSuffix });
  try {
    const inspection = await format.inspect({
      metadata: Metadata,
      storedLength,
      ...(head === undefined ? {} : { head }),
      ...(siblingSuffix === undefined ? {} : { siblingSuffix }),
      ...(wrapAlgorithms === undefined ? {} : { wrapAlgorithms }),
      siblings: { read: (suffix) => beside.read(suffix, undefined) },
    });
    const mayHave = format.wraps?.annotationPrefix !== undefined;
    const seen = VersionId === undefined ? { ...object, ETag: output.ETag } : object;
    const recipients = mayHave ? await annotatedRecipients(plain, seen, AbortSignal.timeout(PATIENCE)) : [];
    return { formatName: format.name, inspection, recipients };
  } catch (error) {
    if (!(error instanceof S3EncryptionError) || error.code !== "not-encrypted") throw error;
    throw new S3EncryptionError(error.code, `${error.message}${otherFormats(formats)}`, { cause: error });
  }
}

/** Milliseconds that looking for annotations may take; the rest is told in any case. */
const PATIENCE = 10_000;

/** Which format a stored object is of, found by its metadata, or else by as much of its content as that takes. */
export async function formatOfStored(
  client: S3Client,
  formats: readonly ObjectFormat[],
  {
    object,
    output,
    siblingSuffix,
  }: {
    readonly object: { readonly Bucket: string; readonly Key: string; readonly VersionId?: string };
    readonly output: Pick<HeadObjectCommandOutput, "Metadata" | "ContentLength">;
    readonly siblingSuffix: string | undefined;
  },
): Promise<Pick<RecognisedObject, "format" | "head">> {
  const format = recognisedByMetadata(formats, output);
  if (format !== undefined) return { format, head: undefined };
  const isInBody = siblingSuffix === undefined && output.ContentLength !== 0 && inBody(formats, output).length > 0;
  if (!isInBody) return { format: recognisedBySibling(formats, output), head: undefined };
  const { Body } = await client.send(new GetObjectCommand({ ...object, Range: `bytes=0-${MAX_HEAD_LENGTH - 1}` }));
  const body = answeredBody({ Body });
  try {
    return await recognise(formats, output, atMost(body, MAX_HEAD_LENGTH));
  } finally {
    destroyStream(body);
  }
}

/** Bytes of an object that are looked at for a head. */
const MAX_HEAD_LENGTH = 1024 * 1024;

/** A store that ignores the range sends more than was asked for. */
async function* atMost(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}
