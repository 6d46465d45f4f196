import { S3EncryptionError } from "@s3ec/materials";

/**
 * Descriptors by their type. A plugin that could replace "kms" would decide about keys that the file's reader believes to
 * be in KMS.
 *
 * @throws S3EncryptionError `invalid-configuration` where two have one type
 */
export function descriptorsByType<Descriptor extends { readonly type: string }>(
  kind: "keyring" | "manager" | "format",
  descriptors: readonly Descriptor[],
): ReadonlyMap<string, Descriptor> {
  const byType = new Map<string, Descriptor>();
  for (const descriptor of descriptors) {
    if (byType.has(descriptor.type)) {
      throw new S3EncryptionError(
        "invalid-configuration",
        `There are two ${kind} types named "${descriptor.type}"; a plugin must choose a name of its own.`,
      );
    }
    byType.set(descriptor.type, descriptor);
  }
  return byType;
}
