const TAG_LENGTH = 16;
const CBC_BLOCK = 16;

/**
 * Plaintext bytes of an object, from its metadata and its stored length: exact for the formats that are written today.
 * Undefined for CBC, unless its writer left the length; for an object whose envelope is in an instruction file of format V1
 * or V2; for one that no encryption client wrote. Whoever can write to the bucket can change it.
 */
export function statedPlaintextLength(
  metadata: Readonly<Record<string, string>>,
  storedLength: number,
): number | undefined {
  // Stores differ in the letter case that they keep (H35).
  const fields = new Map(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
  if (fields.get("x-amz-c") === "115" || fields.get("x-amz-cek-alg") === "AES/GCM/NoPadding") {
    return storedLength < TAG_LENGTH ? undefined : storedLength - TAG_LENGTH;
  }
  const stated = fields.get("x-amz-unencrypted-content-length");
  if (stated === undefined || !/^\d{1,15}$/.test(stated)) return undefined;
  // Padding adds 1 to 16 bytes; a stated length that does not fit is of another object.
  const padding = storedLength - Number(stated);
  return padding >= 1 && padding <= CBC_BLOCK ? Number(stated) : undefined;
}
