import { fileSentence } from "@s3ec/envelope";
import { isError, S3EncryptionError } from "@s3ec/materials";

/**
 * Does something with files in a folder, and says of what that folder refuses what it is about.
 *
 * @param folder what the sentence names
 * @param advice what the caller can do, behind the sentence
 * @throws S3EncryptionError `invalid-argument`, or the code that is named
 */
export async function inFolder<T>(
  folder: string,
  work: () => Promise<T>,
  {
    advice = "",
    code = "invalid-argument",
  }: { readonly advice?: string; readonly code?: "invalid-argument" | "invalid-configuration" } = {},
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const sentence = isError(error) && "syscall" in error ? sentenceOf(error.code, folder) : undefined;
    if (sentence === undefined) throw error;
    throw new S3EncryptionError(code, advice === "" ? sentence : `${sentence} ${advice}`, { cause: error });
  }
}

function sentenceOf(code: unknown, folder: string): string | undefined {
  if (code === "ENOENT") return `There is no folder ${folder}.`;
  if (code === "EACCES" || code === "EPERM") return `No file can be made in ${folder}: no permission.`;
  return fileSentence(code, folder);
}
