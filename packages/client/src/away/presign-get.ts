import { GetObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { annotationName, recipientOfAnnotation } from "@s3ec/envelope";
import { S3Format } from "@s3ec/format-s3";
import {
  assertKnownOptions,
  type ObjectFormat,
  type OptionNames,
  S3EncryptionError,
  type WrapAlgorithm,
} from "@s3ec/materials";
import { plainClientOf } from "../plain-client.js";
import { BesideObject } from "../read/beside-object.js";
import { formatOfStored } from "../read/inspect-object.js";
import { listedWraps, type WrappedObject } from "../recipients/annotated-wraps.js";
import { invalid } from "./away-options.js";
import type { NamedInstructionFile } from "./given-files.js";

/** Seconds, the most that Signature Version 4 takes: seven days. */
const MAX_EXPIRES_IN = 604_800;

/** Which object to presign. */
export interface ObjectToPresign {
  /** Its bucket. */
  readonly Bucket: string;
  /** Its key. */
  readonly Key: string;
  /** The version to presign. Default: whichever is current when the URL is used. */
  readonly VersionId?: string;
}

/** How long, and for whose key. */
export interface PresignOptions {
  /** Seconds for which the URL works, at most seven days; never longer than the credentials that sign it. Default 900. */
  readonly expiresIn?: number;
  /** The instruction file that has the holder's wrapped key, such as `.escrow`. Default: the one that a reader needs. */
  readonly instructionFileSuffix?: string;
  /** The recipient whose wrapped key is in an annotation of the object. Default: none. */
  readonly recipient?: string;
  /** Formats to look for. Default: `new S3Format()`. */
  readonly formats?: readonly ObjectFormat[];
  /** Wraps of keyrings of your own, as their `wrapAlgorithms` have them. Default: the official ones only. */
  readonly wrapAlgorithms?: readonly WrapAlgorithm[];
}

/** A presigned GET, and what the holder of a key needs beside it. All of it survives JSON. */
export interface PresignedGet {
  /** The URL of the ciphertext. */
  readonly url: string;
  /** When it stops to work, in UTC, unless its credentials end before. */
  readonly expires: string;
  /** Name of the format that the object is of. */
  readonly formatName: string;
  /** For `openResponse`, where the wrapped key is in a file; as it was when the URL was made. */
  readonly instructionFile?: NamedInstructionFile;
  /** For `openResponse`, where the wrapped key is in an annotation; as it was when the URL was made. */
  readonly annotations?: Readonly<Record<string, string>>;
}

const OBJECT: OptionNames<ObjectToPresign> = { Bucket: true, Key: true, VersionId: true };
const OPTIONS: OptionNames<PresignOptions> = {
  expiresIn: true,
  instructionFileSuffix: true,
  recipient: true,
  formats: true,
  wrapAlgorithms: true,
};

/**
 * A URL by which its holder gets the ciphertext of an object, and what somebody who has a key needs beside it, for
 * `openResponse`. Needs no key, and the permissions of a reader (`s3:GetObject`).
 *
 * What it discloses: to everybody who has the URL, for as long as it works, the ciphertext, so also the length of the
 * plaintext, and all of the object's metadata: your own, the wrapped key, and in the clear the encryption context or material
 * description and, of some formats, the ARN of the KMS key. The URL shows bucket, key and the access key id that signed it.
 * It does not give the plaintext to whoever has no key. Whoever has kept the ciphertext and gets the key later reads it then.
 * Nothing takes a URL back before it ends but the end of its credentials' right to read.
 *
 * @param client any S3Client with credentials; one that encrypts, too
 * @throws S3EncryptionError `not-encrypted`, `malformed-envelope`, `invalid-argument`; `unsupported-operation` without
 *   `@aws-sdk/s3-request-presigner`, an optional peer of this package; S3's own errors
 */
export async function presignGet(
  client: S3Client,
  object: ObjectToPresign,
  options: PresignOptions = {},
): Promise<PresignedGet> {
  if (typeof client?.send !== "function") throw invalid("Pass an S3Client to presignGet, then { Bucket, Key }.");
  assertKnownOptions(object, OBJECT, "the object of presignGet");
  assertKnownOptions(options, OPTIONS, "presignGet");
  const { expiresIn = 900, recipient } = options;
  if (recipient !== undefined) annotationName(recipient);
  if (!Number.isSafeInteger(expiresIn) || expiresIn < 1 || expiresIn > MAX_EXPIRES_IN) {
    throw invalid(`expiresIn must be a number of seconds from 1 to ${MAX_EXPIRES_IN}, which is seven days.`);
  }
  const { Bucket, Key, VersionId } = object;
  const named = { Bucket, Key, ...(VersionId === undefined ? {} : { VersionId }) };
  const plain = plainClientOf(client);
  const head = await plain.send(new HeadObjectCommand(named));
  const found = await neededBeside(plain, named, head, options);
  const getSignedUrl = await signer();
  // By fetch, what an object says of its plaintext's coding would be undone of its ciphertext.
  const coding = head.ContentEncoding === undefined ? {} : { ResponseContentEncoding: "identity" };
  const begun = Date.now();
  const url = await getSignedUrl(plain, new GetObjectCommand({ ...named, ...coding }), { expiresIn });
  return { url, expires: new Date(begun + expiresIn * 1000).toISOString(), ...found };
}

type Head = Pick<HeadObjectCommandOutput, "ContentLength" | "ETag" | "Metadata">;

/** What a reader reads beside the object: the file that its format asks for, and a recipient's annotations. */
async function neededBeside(
  plain: S3Client,
  object: ObjectToPresign,
  output: Head,
  options: PresignOptions,
): Promise<Omit<PresignedGet, "expires" | "url">> {
  const { formats = [new S3Format()], instructionFileSuffix: siblingSuffix, recipient, wrapAlgorithms } = options;
  const beside = new BesideObject(object, {
    get: (file) => plain.send(new GetObjectCommand(file)),
    client: () => plain,
    signal: undefined,
  });
  const { format, head } = await formatOfStored(plain, formats, { object, output, siblingSuffix });
  const read: NamedInstructionFile[] = [];
  await format.inspect({
    metadata: output.Metadata ?? {},
    storedLength: output.ContentLength ?? 0,
    ...(head === undefined ? {} : { head }),
    ...(siblingSuffix === undefined ? {} : { siblingSuffix }),
    ...(wrapAlgorithms === undefined ? {} : { wrapAlgorithms }),
    siblings: {
      read: async (suffix) => {
        const text = await beside.read(suffix, undefined);
        if (text !== undefined) read.push({ suffix, text });
        return text;
      },
    },
  });
  const [instructionFile] = read;
  const wrapped = object.VersionId === undefined ? { ...object, ETag: output.ETag } : object;
  return {
    formatName: format.name,
    ...(instructionFile === undefined ? {} : { instructionFile }),
    ...(recipient === undefined ? {} : { annotations: await annotationsOf(plain, wrapped, recipient) }),
  };
}

/** Also those that are still to be put back after a copy in parts. */
async function annotationsOf(
  plain: S3Client,
  object: WrappedObject,
  recipient: string,
): Promise<Record<string, string>> {
  const wanted = recipientOfAnnotation(annotationName(recipient));
  // Whoever only looks is given those that stand, also while they are being moved.
  const listed = await listedWraps(plain, object, undefined, "mover");
  if (listed.state === "unknown") throw listed.reason;
  const texts: Record<string, string> = {};
  for (const each of listed.state === "listed" ? listed.wraps : []) {
    if (each.recipient !== wanted) continue;
    const text = await each.read();
    if (text !== undefined) texts[each.name] = text;
  }
  if (Object.keys(texts).length > 0) return texts;
  throw new S3EncryptionError(
    "not-encrypted",
    `The object has no annotation for the recipient ${JSON.stringify(recipient)}: see listRecipients.`,
  );
}

async function signer(): Promise<typeof import("@aws-sdk/s3-request-presigner").getSignedUrl> {
  try {
    return (await import("@aws-sdk/s3-request-presigner")).getSignedUrl;
  } catch (cause) {
    throw new S3EncryptionError("unsupported-operation", "To presign, install @aws-sdk/s3-request-presigner.", {
      cause,
    });
  }
}
