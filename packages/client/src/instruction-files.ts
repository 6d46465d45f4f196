import type { GetObjectCommandInput, GetObjectCommandOutput, PutObjectCommandInput } from "@aws-sdk/client-s3";
import {
  DEFAULT_INSTRUCTION_FILE_SUFFIX,
  DOTNET_V1_SUFFIX,
  type InstructionFile,
  type InstructionFileToWrite,
  instructionFileSuffix,
  MAX_INSTRUCTION_FILE_LENGTH,
} from "@s3ec/envelope";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { callOptionsOf } from "./call-options.js";
import { httpStatusOf } from "./http-status.js";
import type { ResolvedOptions } from "./options.js";

/**
 * Who may see the object, who owns it, and how S3 keeps it: what its instruction file shares with it (H28). A lock among
 * them: without its key a locked object would be lost; and S3 takes a lock with a checksum only.
 */
const SHARED = [
  "ACL",
  "BucketKeyEnabled",
  "ChecksumAlgorithm",
  "ExpectedBucketOwner",
  "GrantFullControl",
  "GrantRead",
  "GrantReadACP",
  "GrantWriteACP",
  "ObjectLockLegalHoldStatus",
  "ObjectLockMode",
  "ObjectLockRetainUntilDate",
  "RequestPayer",
  "SSECustomerAlgorithm",
  "SSECustomerKey",
  "SSECustomerKeyMD5",
  "SSEKMSEncryptionContext",
  "SSEKMSKeyId",
  "ServerSideEncryption",
  "StorageClass",
  "Tagging",
] as const satisfies readonly (keyof PutObjectCommandInput)[];

/** The put of an instruction file: without the object's metadata, and without what describes or conditions its content. */
export function instructionFilePut(object: PutObjectCommandInput, file: InstructionFileToWrite): PutObjectCommandInput {
  const shared = Object.fromEntries(SHARED.map((name) => [name, object[name]]));
  return {
    ...shared,
    Bucket: object.Bucket,
    Key: `${object.Key}${file.suffix}`,
    Body: file.body,
    ContentType: "application/json",
    Metadata: { ...file.metadata },
  };
}

/**
 * The suffixes that this client knows of, to take files along with their object: the default one, the configured one,
 * the children's and the call's own. Only as we write them: a key with a suffix that has no dot is somebody else's object.
 */
export function knownSuffixes(options: ResolvedOptions, input: object): readonly string[] {
  const known = [
    DEFAULT_INSTRUCTION_FILE_SUFFIX,
    options.instructionFiles.suffix,
    callOptionsOf(input).instructionFileSuffix,
    ...(options.materialsManager.instructionFileSuffixes ?? []),
  ];
  return [...new Set(known.filter((suffix) => suffix !== undefined).map(instructionFileSuffix))];
}

type Get = (input: GetObjectCommandInput) => Promise<GetObjectCommandOutput>;

/**
 * Fetches an object's instruction file: the asked suffix verbatim (H16), unversioned (H33). Absent is `not-encrypted`
 * with what was looked for (S13); any other failure is S3's own (H34).
 */
export async function fetchInstructionFile(
  get: Get,
  object: GetObjectCommandInput,
  options: {
    readonly suffix: string | undefined;
    readonly tryDotNetV1: boolean;
    /** Whether the object's own metadata says that it is encrypted. */
    readonly holdsEnvelope: boolean;
    /** Whether the object was found to be no message. */
    readonly triedMessage: boolean;
  },
): Promise<InstructionFile> {
  const { suffix = DEFAULT_INSTRUCTION_FILE_SUFFIX } = options;
  const suffixes =
    options.suffix === undefined && options.tryDotNetV1 ? [suffix, DOTNET_V1_SUFFIX] : suffixesToRead(suffix);
  const found = await firstOf(get, object, suffixes);
  if (found !== undefined) return found;
  const places = `there is no instruction file at its key plus ${suffixes.map((name) => `"${name}"`).join(" or ")}`;
  const messageHint = options.triedMessage ? "" : " If it is a message of the AWS Encryption SDK, set messageFormat.";
  throw new S3EncryptionError(
    "not-encrypted",
    options.holdsEnvelope
      ? `The object's wrapped key was not found: ${places}. Pass the suffix that its writer gave to your key (instructionFileSuffix).`
      : `The object was not written by an S3 encryption client: its metadata holds no encryption fields (x-amz-key-v2, x-amz-3, ...), and ${places}.${messageHint}`,
  );
}

/** The instruction file with this suffix; undefined where there is none. */
export function findInstructionFile(
  get: Get,
  object: GetObjectCommandInput,
  suffix: string,
): Promise<InstructionFile | undefined> {
  return firstOf(get, object, suffixesToRead(suffix));
}

async function firstOf(
  get: Get,
  object: GetObjectCommandInput,
  suffixes: readonly string[],
): Promise<InstructionFile | undefined> {
  for (const suffix of suffixes) {
    const text = await fetchText(get, object, suffix);
    if (text !== undefined) return { suffix, text };
  }
  return undefined;
}

/** As asked; a suffix without a dot first as we would have written it. */
function suffixesToRead(suffix: string): readonly string[] {
  return suffix.startsWith(".") || suffix === DOTNET_V1_SUFFIX ? [suffix] : [instructionFileSuffix(suffix), suffix];
}

async function fetchText(get: Get, object: GetObjectCommandInput, suffix: string): Promise<string | undefined> {
  const { Bucket, Key, ExpectedBucketOwner, RequestPayer } = object;
  const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = object;
  let output: GetObjectCommandOutput;
  try {
    output = await get({
      Bucket,
      Key: `${Key}${suffix}`,
      ExpectedBucketOwner,
      RequestPayer,
      SSECustomerAlgorithm,
      SSECustomerKey,
      SSECustomerKeyMD5,
    });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw namingTheFile(error, suffix);
  }
  return readText(output);
}

/** S3's own error (H34), saying which request it was, which its reader did not send. */
function namingTheFile(error: unknown, suffix: string): unknown {
  if (!isError(error) || httpStatusOf(error) !== 403) return error;
  error.message = `${error.message} (Asked for the instruction file at the object's key plus "${suffix}". Allow s3:GetObject on it; without s3:ListBucket, S3 answers the same where there is no such file.)`;
  return error;
}

/** Whether S3 said that there is no such object. */
export function isMissing(error: unknown): boolean {
  return isError(error) && (error.name === "NoSuchKey" || error.name === "NotFound");
}

/** At most the size cap plus one chunk is read (S14). */
export async function readText({ Body }: GetObjectCommandOutput): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // A node stream in Node, and breaking out of the loop closes it.
  for await (const chunk of Body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_INSTRUCTION_FILE_LENGTH) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}
