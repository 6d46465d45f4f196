import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { completeFromBoth, DOTNET_V1_SUFFIX, type Envelope, type InstructionFile } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { fetchInstructionFile } from "../instruction-files.js";

/**
 * The envelope from the file that was found, unless it may be of an object that lay there before: .NET's first client put
 * its own file under another name (1.6), so that a `.instruction` stays when it stores an object over another client's.
 * Throws `malformed-envelope` where the two are not for the same content.
 */
export async function completeUnlessStale(
  get: (input: GetObjectCommandInput) => Promise<GetObjectCommandOutput>,
  object: GetObjectCommandInput,
  file: InstructionFile,
  complete: (file: InstructionFile) => Envelope,
): Promise<Envelope> {
  if (file.suffix === DOTNET_V1_SUFFIX) return complete(file);
  const asked = { suffix: DOTNET_V1_SUFFIX, tryDotNetV1: false, holdsEnvelope: false, triedMessage: true };
  const other = await fetchInstructionFile(get, object, asked).catch((error: unknown) => {
    if (isMissingOrHidden(error)) return undefined;
    throw error;
  });
  return other === undefined ? complete(file) : completeFromBoth(complete, [file, other]);
}

/** Without s3:ListBucket a file that is not there is a 403, and the first one is an answer. */
function isMissingOrHidden(error: unknown): boolean {
  if (error instanceof S3EncryptionError) return error.code === "not-encrypted";
  const metadata: unknown = error instanceof Error ? Reflect.get(error, "$metadata") : undefined;
  return typeof metadata === "object" && metadata !== null && Reflect.get(metadata, "httpStatusCode") === 403;
}
