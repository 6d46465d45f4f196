import type { HeadObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { type ObjectFormat, S3EncryptionError, type WrapRules } from "@s3ec/materials";
import type { MarkOf } from "../moving/put-back.js";
import { formatOfStored } from "../read/inspect-object.js";
import { formatsOf } from "../read/recognise.js";
import { lookAt } from "../restate/seen-object.js";
import { invalid, type Rewrap } from "./rewrap-options.js";

/** The object that stands, of a format that re-wraps. */
export interface StandingObject {
  readonly head: HeadObjectCommandOutput;
  /** The store's own clock. */
  readonly date: Date | undefined;
  readonly format: ObjectFormat;
  readonly rules: WrapRules;
}

/**
 * What S3 says of the object and which format it is of.
 *
 * @param client one that does not encrypt
 */
export async function standingObject(client: S3Client, rewrap: Rewrap): Promise<StandingObject> {
  const { version, VersionId, encryption, from } = rewrap;
  const request = from.abortSignal === undefined ? {} : { abortSignal: from.abortSignal };
  const { head, date } = await lookAt(client, version, request);
  if (VersionId !== undefined && VersionId !== head.VersionId) {
    throw invalid(
      "VersionId is not the current version, and only that can be re-wrapped: an older one keeps its wrap, and needs its key, for as long as it is kept. Only its annotations can be changed (recipient).",
    );
  }
  const { format } = await formatOfStored(client, formatsOf(encryption, from), {
    object: version,
    output: head,
    siblingSuffix: from.instructionFileSuffix,
  });
  if (format.wraps === undefined) {
    throw new S3EncryptionError(
      "unsupported-operation",
      `Objects of the format "${format.name}" are not re-wrapped: what they begin with is authenticated under the content's own key, and a second one under it would give the authentication key away. Write the object anew (migrateObject).`,
    );
  }
  return { head, date, format, rules: format.wraps };
}

/** What an object's metadata alone has, as a function of it. */
export function markOf({ siblings }: ObjectFormat): MarkOf {
  return (metadata = {}) => siblings?.kindOf(metadata).mark;
}
