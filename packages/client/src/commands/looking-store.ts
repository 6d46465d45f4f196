import type { PutObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import type { ResolvedOptions } from "../options.js";
import type { Siblings } from "../write/sibling-files.js";
import { SiblingStore } from "../write/sibling-store.js";
import { kindOf, MARKS } from "./files-beside.js";

/**
 * To look at an object and the files beside it, and to delete files.
 *
 * @param client one that does not encrypt
 * @param object where it is, and whose
 */
export function lookingStore(
  client: S3Client,
  object: PutObjectCommandInput,
  { instructionFiles }: ResolvedOptions,
  signal: AbortSignal | undefined,
): SiblingStore {
  const siblings: Siblings = {
    verb: "Put",
    files: [],
    first: false,
    mark: undefined,
    suffixes: [],
    replaceUnknown: instructionFiles.replaceUnknown,
    markOf: ({ Metadata = {} }) => kindOf(Metadata).mark,
    ...MARKS,
  };
  return new SiblingStore(client, object, siblings, { signal });
}
