import { stat } from "node:fs/promises";
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
