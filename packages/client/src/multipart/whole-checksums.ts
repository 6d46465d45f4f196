import { S3EncryptionError } from "@s3ec/materials";

/** Throws `unsupported-operation` for a checksum of the whole plaintext, which nobody reads in order. */
export function refuseChecksumsOfWhole(given: object, why: string): void {
  const sum = Object.entries(given).find(
    ([name, value]) => value !== undefined && /^(ContentMD5|Checksum(?!Algorithm$|Type$))/.test(name),
  );
  if (sum === undefined) return;
  throw new S3EncryptionError("unsupported-operation", `${sum[0]} of the whole cannot be verified${why}`);
}
