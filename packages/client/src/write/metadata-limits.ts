import { isReservedMetadata } from "@s3ec/envelope";
import { S3EncryptionError, type SiblingFile } from "@s3ec/materials";

/** S3's limits, in bytes: of the user metadata's names and values together, and of a key. */
const MAX_METADATA_LENGTH = 2048;
const MAX_KEY_LENGTH = 1024;

/** Refuses user metadata that would be read as part of the envelope (H9, S17), and what S3 is certain to refuse. */
export function checkUserMetadata(metadata: Readonly<Record<string, string>> = {}): void {
  if (typeof metadata !== "object" || metadata === null || Symbol.iterator in metadata) {
    throw invalid("Metadata must be a plain object of texts.");
  }
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value !== "string") throw invalid(`The value of the metadata ${JSON.stringify(name)} must be a text.`);
    if (isReservedMetadata(name)) {
      throw invalid(
        `Metadata must not hold "${name}": names that start with x-amz- are reserved for the encryption client, and so is s3ec-of.`,
      );
    }
    if (!/^[!#$%&'*+\-.^_`|~\da-z]+$/i.test(name)) {
      throw invalid(`Metadata is sent in headers, and ${JSON.stringify(name)} is no name of a header.`);
    }
    if (!/^[\t\x20-\x7e]*$/.test(value)) {
      throw invalid(
        `The value of the metadata "${name}" must be printable ASCII, which is what S3 takes: encode it, for example with encodeURIComponent.`,
      );
    }
  }
}

/** While nothing of an earlier put has been touched: S3 would refuse it. */
export function refuseOversizedMetadata(
  metadata: Readonly<Record<string, string>>,
  envelope: Readonly<Record<string, string>>,
): void {
  const length = lengthOf(metadata);
  if (length <= MAX_METADATA_LENGTH) return;
  const ofEnvelope = lengthOf(envelope);
  throw invalid(
    `S3 takes ${MAX_METADATA_LENGTH} bytes of metadata, names and values together, and this is ${length}: the envelope needs ${ofEnvelope}, and yours has ${length - ofEnvelope}.`,
  );
}

/** A key may be as long as S3 takes only where no suffix has to go behind it. */
export function refuseImpossibleKeys(key: string | undefined, files: readonly SiblingFile[]): void {
  for (const { suffix } of files) {
    if (leavesRoomFor(key, suffix)) continue;
    const length = Buffer.byteLength(`${key}${suffix}`);
    throw invalid(
      `The key leaves no room for its instruction file: with "${suffix}" it has ${length} bytes, and S3 takes ${MAX_KEY_LENGTH}.`,
    );
  }
}

/** Whether an object with this key can have a file with this suffix. */
export function leavesRoomFor(key: string | undefined, suffix: string): boolean {
  return Buffer.byteLength(`${key}${suffix}`) <= MAX_KEY_LENGTH;
}

function lengthOf(metadata: Readonly<Record<string, string>>): number {
  return Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
