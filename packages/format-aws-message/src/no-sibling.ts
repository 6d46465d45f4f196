import { type ObjectRequest, S3EncryptionError } from "@s3ec/materials";

/** A caller who names a file means another format, and would have that checked. */
export function refuseSibling({
  siblingSuffix,
  preferSibling = false,
}: Pick<ObjectRequest, "siblingSuffix"> & { readonly preferSibling?: boolean }): void {
  if (siblingSuffix === undefined && !preferSibling) return;
  throw new S3EncryptionError(
    "invalid-argument",
    "The object is a message, which has no instruction file: leave instructionFileSuffix and preferInstructionFile out.",
  );
}
