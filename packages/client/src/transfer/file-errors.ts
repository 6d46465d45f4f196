import { fileSentence } from "@s3ec/envelope";
import { isError, S3EncryptionError } from "@s3ec/materials";

/**
 * Does something with files in a folder, and says of what that folder refuses what it is about.
 *
 * @param folder what the sentence names, where it is the folder that refuses
 * @param path of the file, whose own name may be what is refused. Default: the folder
 * @param advice what the caller can do, behind the sentence
 * @throws S3EncryptionError `invalid-argument`, or the code that is named
 */
export async function inFolder<T>(
  folder: string,
  work: () => Promise<T>,
  {
    path = folder,
    advice = "",
    code = "invalid-argument",
  }: {
    readonly path?: string;
    readonly advice?: string;
    readonly code?: "invalid-argument" | "invalid-configuration";
  } = {},
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const sentence = isError(error) && "syscall" in error ? sentenceOf(error.code, folder, path) : undefined;
    if (sentence === undefined) throw error;
    throw new S3EncryptionError(code, advice === "" ? sentence : `${sentence} ${advice}`, { cause: error });
  }
}

function sentenceOf(code: unknown, folder: string, path: string): string | undefined {
  if (code === "ENOENT") return `There is no folder ${folder}.`;
  if (code === "EACCES" || code === "EPERM") return `No file can be made in ${folder}: no permission.`;
  // What cannot be written to at all is the folder; what is no path, the whole of it.
  return fileSentence(code, code === "EROFS" ? folder : path);
}
