import { assertKnownOptions, type OptionNames, S3EncryptionError, type StringMap } from "@s3ec/materials";
import type { AuditedObject } from "../audit/audited-object.js";

/** Which encrypted objects are meant, by what is stored of their encryption: those that all of this is true of. */
export interface EnvelopeFilterOptions {
  /** One of these formats. */
  readonly formats?: readonly ("V1" | "V2" | "V3")[];
  /** A wrapped key by one of these wraps, as the sibling clients call them: `kms`, `AES/GCM`. */
  readonly wraps?: readonly string[];
  /** A wrapped key whose encryption context or material description has all of these entries. */
  readonly description?: StringMap;
}

/** Whether an object is meant; undefined where what could be seen of it (`problem`) does not tell, so that the run says so. */
export type EnvelopeFilter = (audited: AuditedObject) => boolean | undefined;

const OPTIONS: OptionNames<EnvelopeFilterOptions> = { formats: true, wraps: true, description: true };

/**
 * Tells which encrypted objects are meant. What is stored is not authenticated: whoever can write to the bucket can have an object
 * left out.
 *
 * @throws S3EncryptionError `invalid-argument` for wrong options
 */
export function envelopeFilter(options: EnvelopeFilterOptions): EnvelopeFilter {
  assertKnownOptions(options, OPTIONS, "envelopeFilter");
  const { formats, wraps, description = {} } = options;
  if (formats?.some((name) => !["V1", "V2", "V3"].includes(name)) === true) {
    throw new S3EncryptionError("invalid-argument", "The formats are V1, V2 and V3.");
  }
  return ({ state, format, wraps: found, problem }) => {
    const isAllSeen = problem === undefined;
    // What says nothing of itself may have its wrapped key in a file.
    const isPlain = state === "plain" && found.length === 0;
    if (state === "unknown" || state === "unreadable" || (isPlain && !isAllSeen)) return undefined;
    if (isPlain || (state !== "encrypted" && state !== "plain")) return false;
    if (formats !== undefined && format === undefined) return undefined;
    if (formats?.every((name) => name !== format) === true) return false;
    const isMeant = (wrapAlgorithm: string, described: StringMap): boolean =>
      (wraps === undefined || wraps.includes(wrapAlgorithm)) &&
      Object.entries(description).every(([name, value]) => described[name] === value);
    const isOfWraps = wraps !== undefined || Object.keys(description).length > 0;
    if (!isOfWraps || found.some((wrap) => isMeant(wrap.wrapAlgorithm, wrap.description))) return true;
    return isAllSeen ? false : undefined;
  };
}
