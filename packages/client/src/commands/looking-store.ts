import type { PutObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { siblingRules } from "../files-beside.js";
import type { ResolvedOptions } from "../options.js";
import type { SiblingsToPut } from "../write/sibling-files.js";
import { SiblingStore } from "../write/sibling-store.js";

/**
 * To look at an object and the files beside it, and to delete files.
 *
 * @param client one that does not encrypt
 * @param object where it is, and whose
 */
export function lookingStore(
  client: S3Client,
  object: PutObjectCommandInput,
  options: ResolvedOptions,
  signal: AbortSignal | undefined,
): SiblingStore {
  const rules = siblingRules(options);
  const siblings: SiblingsToPut = {
    verb: "Put",
    files: [],
    first: false,
    mark: undefined,
    suffixes: [],
    replaceUnknown: rules.replaceUnknown,
    markOf: ({ Metadata = {} }) => rules.kindOf(Metadata).mark,
    fileMarkOf: (metadata) => rules.fileMarkOf(metadata),
    isFile: (file, metadata) => rules.isFile(file, metadata),
    standsAlone: (metadata) => rules.kindOf(metadata).standsAlone,
  };
  return new SiblingStore(client, object, siblings, { signal });
}
