import { type Command, InvalidArgumentError, Option } from "commander";
import { entry } from "../command-options.js";

type Entries = Readonly<Record<string, string>>;

/** What is said of the objects that are written, as `aws s3` calls it. */
export interface ObjectOptions {
  readonly metadata?: Entries;
  readonly metadataDirective?: "COPY" | "REPLACE";
  readonly contentType?: string;
  readonly guessMimeType?: boolean;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly expires?: Date;
  readonly websiteRedirect?: string;
  readonly storageClass?: string;
  readonly acl?: string;
  readonly tags?: Entries;
  readonly sse?: string | true;
  readonly sseKmsKeyId?: string;
  readonly overwrite?: boolean;
}

/** What every request about an object says. */
export interface RequestOptions {
  readonly requestPayer?: "requester" | true;
  readonly sseC?: string | true;
  readonly sseCKey?: string;
  readonly sseCCopySource?: string | true;
  readonly sseCCopySourceKey?: string;
}

export function objectOptions(command: Command): Command {
  return requestOptions(command)
    .option("--metadata <K=V,...>", "user metadata, stored in the clear; or a JSON object (repeatable)", metadata)
    .addOption(
      new Option("--metadata-directive <HOW>", "of a copy: the source's metadata and headers, or those given").choices([
        "COPY",
        "REPLACE",
      ]),
    )
    .option("--content-type <TYPE>", "default: guessed from the name")
    .option("--no-guess-mime-type", "guess no content type")
    .option("--cache-control <TEXT>")
    .option("--content-disposition <TEXT>")
    .option("--content-encoding <TEXT>")
    .option("--content-language <TEXT>")
    .option("--expires <TIME>", "the header of that name, such as 2027-01-31T00:00:00Z", time)
    .option("--website-redirect <URL>")
    .option("--storage-class <CLASS>", "such as STANDARD_IA or GLACIER_IR")
    .option("--acl <ACL>", "such as private or bucket-owner-full-control")
    .option("--tags <K=V>", "a tag of the object (repeatable)", entry)
    .option("--sse [HOW]", "what S3 encrypts with besides: AES256 (default) or aws:kms")
    .option("--sse-kms-key-id <KEY>", "its KMS key")
    .option("--no-overwrite", "leave what is there already");
}

export function requestOptions(command: Command): Command {
  return command
    .addOption(new Option("--request-payer [WHO]", "the requester pays").choices(["requester"]))
    .addOption(new Option("--sse-c [HOW]", "S3 encrypts besides with a key that you give").choices(["AES256"]))
    .option("--sse-c-key <KEY>", "it: fileb://FILE of 32 bytes, or base64", customerKey)
    .addOption(new Option("--sse-c-copy-source [HOW]", "the same of what is copied").choices(["AES256"]))
    .option("--sse-c-copy-source-key <KEY>", "its key", customerKey);
}

/** `name=value,name=value` as `aws` reads it, or JSON, where values hold commas. */
export function metadata(text: string, previous: Entries = {}): Entries {
  if (text.trimStart().startsWith("{")) return { ...previous, ...entriesOfJson(text) };
  return text.split(",").reduce((all, part) => entry(part.trim(), all), previous);
}

function entriesOfJson(text: string): Entries {
  try {
    const read: unknown = JSON.parse(text);
    const entries = Object.entries(read as object);
    if (entries.every((pair): pair is [string, string] => typeof pair[1] === "string")) {
      return Object.fromEntries(entries);
    }
  } catch {
    // Told below.
  }
  throw new InvalidArgumentError('Write it as name=value,name=value or as {"name":"value"}.');
}

function time(text: string): Date {
  const read = new Date(text);
  if (Number.isNaN(read.getTime())) throw new InvalidArgumentError("Write a time, such as 2027-01-31T00:00:00Z.");
  return read;
}

/** Nothing of it is printed: it is a key. The file is read when it is used. */
function customerKey(text: string): string {
  if (text.startsWith("fileb://") || Buffer.from(text, "base64").length === 32) return text;
  throw new InvalidArgumentError("Write fileb://FILE, of a file with 32 bytes, or the key in base64.");
}
