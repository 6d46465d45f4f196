import type {
  CompleteMultipartUploadCommandOutput,
  CopyObjectCommandOutput,
  DeleteObjectCommandOutput,
  PutObjectCommandOutput,
  UploadPartCommandOutput,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";

type Output = { readonly $metadata?: { readonly httpStatusCode?: number | undefined } };

/**
 * A success that S3 did not say: with status 200, but without what S3 says of an object that it has stored. It may be
 * anybody's on the way, such as the page of a portal, and is taken for no answer.
 */
export class UnconfirmedAnswer extends S3EncryptionError {
  /** What was answered. */
  readonly output: object;

  constructor(what: string, output: object, more = "") {
    super(
      "outcome-unknown",
      `${what}, so that it cannot be told whether the object was stored${more}. Look whether it is there, and do it again.`,
    );
    this.output = output;
  }

  /** For whoever has seen that what stands is another object, or none. */
  get refuted(): S3EncryptionError {
    return new S3EncryptionError(
      "content-mismatch",
      "The request was answered with success, and not by S3: the object was not stored, or was replaced or deleted meanwhile. Look at what answers for the endpoint, and do it again.",
      { cause: this },
    );
  }
}

/** Whether it came over HTTP: what a test answers in the place of a handler says nothing that could be asked for. */
export function isAnswer({ $metadata }: Output): boolean {
  return $metadata?.httpStatusCode !== undefined;
}

/** S3 answers a deletion with 204, whether or not there was anything. */
export function isDeletion({ $metadata }: DeleteObjectCommandOutput): boolean {
  return $metadata?.httpStatusCode === undefined || $metadata.httpStatusCode === 204;
}

/**
 * @param wasSentWhole whether the body's end had been reached as the answer came
 * @throws UnconfirmedAnswer
 */
export function requireStored(output: PutObjectCommandOutput, wasSentWhole: boolean): void {
  if (!isAnswer(output)) return;
  if (output.ETag === undefined) throw new UnconfirmedAnswer("The put was answered without an ETag", output);
  if (!wasSentWhole) throw new UnconfirmedAnswer("The put was answered before all of its body was sent", output);
}

/**
 * The same of a part of an upload, whose object cannot appear without it: no outcome is unknown then.
 *
 * @throws S3EncryptionError `content-mismatch` caused by an `UnconfirmedAnswer`; `unsupported-operation` for one without an ETag
 */
export function requireStoredPart(number: number, output: UploadPartCommandOutput, wasSentWhole: boolean): void {
  if (output.ETag === undefined) {
    throw new S3EncryptionError("unsupported-operation", `S3 gave part ${number} no ETag.`);
  }
  if (!isAnswer(output) || wasSentWhole) return;
  throw new UnconfirmedAnswer(`Part ${number} was answered before all of it was sent`, output).refuted;
}

/** @throws UnconfirmedAnswer */
export function requireCopied(output: CopyObjectCommandOutput): void {
  if (!isAnswer(output) || output.CopyObjectResult?.ETag !== undefined) return;
  throw new UnconfirmedAnswer("The copy was answered without an ETag", output);
}

/**
 * @param asked the object and the upload that were named
 * @throws UnconfirmedAnswer
 */
export function requireCompleted(
  output: CompleteMultipartUploadCommandOutput,
  { Key, UploadId }: { readonly Key?: string | undefined; readonly UploadId?: string | undefined },
): void {
  if (!isAnswer(output)) return;
  const isAnother = output.Key !== undefined && output.Key !== Key && !isWritten(output.Key, Key);
  if (output.ETag !== undefined && !isAnother) return;
  throw new UnconfirmedAnswer(
    `The completion was answered ${isAnother ? "with another key" : "without an ETag"}`,
    output,
    `, or the multipart upload ${UploadId} is still open`,
  );
}

/** Some stores answer with a key as it stands in a URL. */
function isWritten(written: string, key: string | undefined): boolean {
  try {
    return decodeURIComponent(written) === key;
  } catch {
    return false;
  }
}
