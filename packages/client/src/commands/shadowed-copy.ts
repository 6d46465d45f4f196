import { S3EncryptionError, type SiblingFile } from "@s3ec/materials";
import { siblingRules } from "../files-beside.js";
import type { ResolvedOptions } from "../options.js";
import type { SiblingStore } from "../write/sibling-store.js";

/**
 * Refuses to copy an object that cannot be read without its files to where another object's file would be read instead of
 * them, or be found to contradict them.
 *
 * @param store of the target
 */
export async function refuseShadowed(
  options: ResolvedOptions,
  store: SiblingStore,
  metadata: Readonly<Record<string, string>>,
  files: readonly SiblingFile[],
): Promise<void> {
  const rules = siblingRules(options);
  const own = files.map(({ suffix }) => suffix);
  if (!own.some((suffix) => rules.unnamed.includes(suffix))) return;
  for (const suffix of rules.unnamed.filter((name) => !own.includes(name))) {
    const found = await store.read(suffix);
    if (found.state !== "read" || !rules.isFileFor(metadata, { suffix, text: found.body }, options.materialsManager))
      continue;
    throw new S3EncryptionError(
      "unsupported-operation",
      `The copy could not be read: ${JSON.stringify(store.keyOf(suffix))} is an instruction file that an earlier object has left there. Delete it first.`,
    );
  }
}
