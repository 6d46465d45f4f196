import type { ListPartsCommandInput, ListPartsCommandOutput, Part } from "@aws-sdk/client-s3";
import type { ResolvedOptions } from "../options.js";
import type { EncryptedPart } from "./open-upload.js";
import { uploadsOf } from "./open-uploads.js";

type Result = { output: ListPartsCommandOutput; response: unknown };

/** What S3 says of the parts, as the caller knows them; and those that are held here, in their places. */
export async function listParts(
  options: ResolvedOptions,
  given: ListPartsCommandInput,
  next: (input: ListPartsCommandInput) => Promise<Result>,
): Promise<Result> {
  const result = await next(given);
  const upload = uploadsOf(options).find(given);
  if (upload === undefined || "presigned" in result.output) return result;
  const { output } = result;
  const known = new Map([...upload.parts].map((part) => [part.number, part]));
  const first = Number(given.PartNumberMarker ?? 0) + 1;
  const last = output.IsTruncated === true ? Number(output.NextPartNumberMarker) : Number.POSITIVE_INFINITY;
  const isListed = new Set((output.Parts ?? []).map(({ PartNumber }) => PartNumber));
  const held = [...known.values()].filter(
    ({ number, held: bytes, etag }) =>
      bytes !== undefined && etag !== undefined && number >= first && number <= last && !isListed.has(number),
  );
  const all = [
    ...(output.Parts ?? []).flatMap((part) => asAnswered(part, known.get(part.PartNumber ?? 0))),
    ...held.flatMap((part) => asAnswered({ PartNumber: part.number, LastModified: part.answeredAt }, part)),
  ].sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
  const Parts = all.slice(0, output.MaxParts ?? all.length);
  const isCut = Parts.length < all.length;
  const page = isCut
    ? { IsTruncated: true, NextPartNumberMarker: String(Parts.at(-1)?.PartNumber) }
    : { IsTruncated: output.IsTruncated };
  return { ...result, output: { ...output, ...page, Parts } };
}

/** Not the tag's own part, nor one that was sent past this client. */
function asAnswered(part: Part, known: EncryptedPart | undefined): Part[] {
  if (known?.etag === undefined) return [];
  const { PartNumber, LastModified } = part;
  return [{ PartNumber, LastModified, ETag: known.etag, Size: known.length }];
}
