import { realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { S3EncryptionError } from "@s3ec/materials";

const NAMES = ["s3ec.config.json", "s3ec.config.yaml", "s3ec.config.yml"];

/** The configuration of this folder, where it has one. */
export async function defaultConfiguration(): Promise<string | undefined> {
  for (const name of NAMES) {
    const there = await stat(name).catch(() => undefined);
    if (there?.isFile() === true) return name;
  }
  return undefined;
}

/** Whether a file would be the configuration of this folder, also where the file system folds names or leaves out what they end with. */
export async function isDefaultConfiguration(path: string): Promise<boolean> {
  const name = basename(path)
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    .replace(/[. ]+$/, "")
    .toUpperCase()
    .toLowerCase();
  return NAMES.includes(name) && (await realpath(dirname(path))) === (await realpath(process.cwd()));
}

/**
 * The configuration of this folder.
 *
 * @param how the caller could name another
 * @throws S3EncryptionError `invalid-configuration` where there is none
 */
export async function configurationHere(how: string): Promise<string> {
  const file = await defaultConfiguration();
  if (file !== undefined) return file;
  throw new S3EncryptionError(
    "invalid-configuration",
    `There is no ${NAMES[0]} in this folder: name a configuration ${how}, or have s3ec init write one.`,
  );
}
