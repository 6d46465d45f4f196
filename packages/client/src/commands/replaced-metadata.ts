import type { CopyObjectCommandInput, HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import type { ResolvedOptions } from "../options.js";
import { callersMetadata, envelopesMetadata } from "../write/callers-metadata.js";
import { refuseOversizedMetadata } from "../write/metadata-limits.js";

/**
 * The user metadata of a copy that replaces it: the caller's, and the envelope as it stands on the source, without which
 * nobody could read the copy. Throws `unsupported-operation` for an envelope that cannot be said again.
 */
export function replacedMetadata(
  options: ResolvedOptions,
  input: CopyObjectCommandInput,
  { Metadata: stored = {}, MissingMeta = 0 }: HeadObjectCommandOutput,
): Record<string, string> {
  const envelope = envelopesMetadata(options, stored);
  const untold = options.formats.find(
    (format) => format.metadataNames === undefined && format.recognise(stored) === "by-metadata",
  );
  if (untold !== undefined) {
    throw refused(`its format "${untold.name}" does not say which of it is its own (metadataNames)`);
  }
  if (MissingMeta > 0) throw refused("S3 has some of it that it cannot give out in headers (MissingMeta)");
  const odd = Object.keys(envelope).find((name) => !/^[\t\x20-\x7e]*$/.test(envelope[name] ?? ""));
  if (odd !== undefined) throw refused(`"${odd}" of the envelope cannot be sent again as it came`);
  const metadata = { ...callersMetadata(options, input.Metadata), ...envelope };
  refuseOversizedMetadata(metadata, envelope);
  return metadata;
}

function refused(reason: string): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    `The object's metadata cannot be replaced: ${reason}. Copy it with MetadataDirective COPY, or read it and put it again.`,
  );
}
