import { readBoundedFile } from "@s3ec/materials";
import { KeyProblem } from "./key-problem.js";

/** Longer than any key or keystore that makes sense. */
export const MAX_LENGTH: number = 16 * 1024 * 1024;

/** What a file, a named pipe or a device holds, as long as a key can be, and its mode. */
export async function fileContent(path: string, timeoutMs: number): Promise<{ bytes: Buffer; mode: number }> {
  const found = await readBoundedFile(path, { maxLength: MAX_LENGTH, timeoutMs });
  switch (found) {
    case "missing":
      throw new KeyProblem("the file named here does not exist");
    case "unreadable":
      throw new KeyProblem("the file named here cannot be read");
    case "too large":
      throw new KeyProblem("the file named here is too large for a key");
    case "too late":
      throw new KeyProblem(`what the file named here holds did not come within ${timeoutMs} ms`);
    default:
      return found;
  }
}
