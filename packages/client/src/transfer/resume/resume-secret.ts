import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { inFolder } from "../file-errors.js";
import { synced } from "../synced.js";

const LENGTH = 32;

/**
 * This user's secret for the states of uploads, made when it is first asked for: 32 bytes that only the user may read.
 * @throws S3EncryptionError `invalid-configuration` where it cannot be kept, or others could read it
 */
export async function usersResumeSecret(): Promise<Uint8Array> {
  const { APPDATA, XDG_CONFIG_HOME } = process.env;
  const folder = join((process.platform === "win32" ? APPDATA : XDG_CONFIG_HOME) || join(homedir(), ".config"), "s3ec");
  const path = join(folder, "resume-secret");
  return await inFolder(folder, async () => (await existing(path)) ?? (await made(folder, path)), {
    code: "invalid-configuration",
    advice:
      "The resume secret cannot be kept there: set XDG_CONFIG_HOME to a folder of yours that stays, or pass resume: { secret } (32 bytes, the same in each process).",
  });
}

async function made(folder: string, path: string): Promise<Uint8Array> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = `${path}.${randomBytes(8).toString("hex")}`;
  const file = await open(fresh, "wx", 0o600);
  try {
    await file.writeFile(randomBytes(LENGTH));
    await synced(file);
  } finally {
    await file.close();
  }
  try {
    // Whole, or another process's.
    await link(fresh, path);
  } catch (error) {
    if (!isError(error) || error.code !== "EEXIST") throw error;
  } finally {
    await rm(fresh, { force: true });
  }
  return (await existing(path)) ?? unusable(path);
}

async function existing(path: string): Promise<Uint8Array | undefined> {
  try {
    const { uid, mode } = await stat(path);
    const isOthers = process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o077) !== 0);
    const secret = await readFile(path);
    return isOthers || secret.length !== LENGTH ? unusable(path) : secret;
  } catch (error) {
    if (isError(error) && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function unusable(path: string): never {
  throw new S3EncryptionError(
    "invalid-configuration",
    `${path} must be ${LENGTH} bytes of your own that nobody else may read (mode 0600). Delete it to have a new one made; uploads that were begun under it cannot be resumed.`,
  );
}
