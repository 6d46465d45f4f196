import type { CompletedPart } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import type { EncryptedPart } from "./open-upload.js";

/** The parts that a completion names. */
export type ListedParts = readonly CompletedPart[];

/**
 * Refuses a completion that would not make the object out of exactly what was encrypted: each part is named, in order, from
 * 1 on and without a gap, by the ETag that its caller was told; a checksum of its plaintext is the one that it was sent with.
 */
export function requireAllNamed(listed: ListedParts, parts: readonly EncryptedPart[]): void {
  if (!Array.isArray(listed) || listed.length === 0) throw invalid("A completion must name its parts, one at least.");
  // Not by forEach, which passes over holes.
  for (const [index, named] of listed.entries()) {
    const { PartNumber, ...said } = named ?? {};
    const number = index + 1;
    if (PartNumber !== number) {
      throw invalid(`The parts must be named in order, from 1 on and without a gap: number ${number} is not.`);
    }
    const part = parts[index];
    if (part?.number !== number) throw invalid(`Part ${number} was not sent through this client.`);
    if (part.etag === undefined || bare(said.ETag) !== bare(part.etag)) {
      throw invalid(`Part ${number} is named by an ETag that is not the one it was answered with.`);
    }
    for (const [name, value] of Object.entries(said)) {
      if (name === "ETag" || value === undefined || part.checksums[name] === value) continue;
      throw invalid(
        `The ${name} of part ${number} is not one that it was sent with, and cannot be checked any more: leave it out.`,
      );
    }
  }
  const missing = parts[listed.length];
  if (missing === undefined) return;
  throw invalid(
    `Part ${missing.number} was encrypted and is not named: an object cannot be completed without it. Send it again, and name it.`,
  );
}

function bare(etag: string | undefined): string | undefined {
  return etag?.replaceAll('"', "");
}

function invalid(message: string): S3EncryptionError {
  return new S3EncryptionError("invalid-argument", message);
}
