import type { GetObjectCommandInput } from "@aws-sdk/client-s3";
import { annotationName } from "@s3ec/envelope";
import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";

/** Which object's recipients are meant. */
export interface RecipientsOptions {
  /** Its bucket. */
  readonly Bucket: string;
  /** Its key. */
  readonly Key: string;
  /**
   * A version of it: then its annotations alone are meant, which each version has of its own. Default: the current one, and the
   * files beside the object.
   */
  readonly VersionId?: string;
  /** As of a `GetObjectCommand`, sent with every request. */
  readonly ExpectedBucketOwner?: GetObjectCommandInput["ExpectedBucketOwner"];
  /** As of a `GetObjectCommand`, sent with every request. */
  readonly RequestPayer?: GetObjectCommandInput["RequestPayer"];
  /** Of an object under a key of the customer's (SSE-C), as of a `GetObjectCommand`: its recipients are in files. */
  readonly SSECustomerAlgorithm?: GetObjectCommandInput["SSECustomerAlgorithm"];
  /** Of an object under a key of the customer's (SSE-C), as of a `GetObjectCommand`. */
  readonly SSECustomerKey?: GetObjectCommandInput["SSECustomerKey"];
  /** Of an object under a key of the customer's (SSE-C), as of a `GetObjectCommand`. */
  readonly SSECustomerKeyMD5?: GetObjectCommandInput["SSECustomerKeyMD5"];
  /** Ends the work; what was sent by then may still be done. */
  readonly abortSignal?: AbortSignal;
}

/** Which recipient of which object. */
export interface RecipientOptions extends RecipientsOptions {
  /** The recipient's name; a child's suffix counts without its dot. */
  readonly recipient: string;
}

export const RECIPIENTS: OptionNames<RecipientsOptions> = {
  Bucket: true,
  Key: true,
  VersionId: true,
  ExpectedBucketOwner: true,
  RequestPayer: true,
  SSECustomerAlgorithm: true,
  SSECustomerKey: true,
  SSECustomerKeyMD5: true,
  abortSignal: true,
};

/** Throws `invalid-argument` for what is wrong with the options, before anything is asked. */
export function checkRecipients<Options extends RecipientsOptions>(
  options: Options,
  names: OptionNames<NoInfer<Options>>,
  what: string,
): void {
  assertKnownOptions<Options>(options, names, what);
  for (const name of ["Bucket", "Key"] as const) {
    const value: unknown = options[name];
    if (typeof value !== "string" || value === "") throw invalid(`${what} must be told a ${name}.`);
  }
}

/** The recipient's two places: the annotation, and the file. Throws `invalid-argument` for what is no name. */
export function placesOf({ recipient }: RecipientOptions): { readonly annotation: string; readonly suffix: string } {
  if (typeof recipient !== "string") throw invalid("recipient must be a name, such as escrow.");
  return { annotation: annotationName(recipient), suffix: `.${recipientName(recipient)}` };
}

/** A recipient's name as it is told: a child's suffix counts without its dot. */
export function recipientName(recipient: string): string {
  return recipient.replace(/^\.+/, "");
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
