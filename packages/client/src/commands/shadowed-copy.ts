import { DEFAULT_INSTRUCTION_FILE_SUFFIX, DOTNET_V1_SUFFIX } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import type { ResolvedOptions } from "../options.js";
import type { SiblingFile } from "../write/sibling-files.js";
import type { SiblingStore } from "../write/sibling-store.js";
import { isFileFor } from "./files-beside.js";

/** The names under which a reader looks who was given none. */
const READ_UNASKED = [DEFAULT_INSTRUCTION_FILE_SUFFIX, DOTNET_V1_SUFFIX];

/**
 * Refuses to copy an object that cannot be read without its files to where another object's file would be read instead of
 * them, or be found to contradict them.
 *
 * @param store of the target
 */
export async function refuseShadowed(
  { materialsManager }: ResolvedOptions,
  store: SiblingStore,
  metadata: Readonly<Record<string, string>>,
  files: readonly SiblingFile[],
): Promise<void> {
  const own = files.map(({ suffix }) => suffix);
  if (!own.some((suffix) => READ_UNASKED.includes(suffix))) return;
  for (const suffix of READ_UNASKED.filter((name) => !own.includes(name))) {
    const found = await store.read(suffix);
    if (found.state !== "read" || !isFileFor(metadata, { suffix, text: found.body }, materialsManager)) continue;
    throw new S3EncryptionError(
      "unsupported-operation",
      `The copy could not be read: ${JSON.stringify(store.keyOf(suffix))} is an instruction file that an earlier object has left there. Delete it first.`,
    );
  }
}
