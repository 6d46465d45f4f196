import type { CompletedPart, UploadPartCommandInput } from "@aws-sdk/client-s3";
import type { EncryptedPart } from "./open-upload.js";

/** A part as it stands in the object, with what the object ends in. */
export interface FinalPart {
  readonly input: UploadPartCommandInput;
  readonly bytes: Buffer;
  sent: CompletedPart | undefined;
}

/** The tag goes behind the last part if that was held, else it is a part of its own. */
export function finalParts(
  parts: readonly EncryptedPart[],
  tag: Uint8Array,
  UploadId: UploadPartCommandInput["UploadId"],
): readonly FinalPart[] {
  const last = parts.at(-1);
  if (last === undefined) return [];
  const input = { ...last.input, UploadId, PartNumber: last.number + 1 };
  const trailer = { input, bytes: Buffer.from(tag), sent: undefined };
  return [
    ...parts.map((part) => {
      const bytes = part === last && part.held !== undefined ? Buffer.concat([part.held, tag]) : part.held;
      return { input: part.input, bytes: bytes ?? Buffer.alloc(0), sent: bytes === undefined ? part.sent : undefined };
    }),
    ...(last.held === undefined ? [trailer] : []),
  ];
}
