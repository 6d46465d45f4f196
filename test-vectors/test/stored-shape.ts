import { instructionFileToRead, type Vector } from "@s3ec/test-vectors";

export interface StoredShape {
  readonly format: "V1" | "V2" | "V3";
  readonly content: "CBC" | "GCM";
  readonly wrap: "current" | "legacy";
}

const CURRENT_WRAPS: readonly unknown[] = ["AES/GCM", "RSA-OAEP-SHA1", "kms+context"];

/** What a well-formed object's stored fields say, by docs/formats.md 1.1 and without any of our readers. */
export function storedShape(vector: Vector): StoredShape {
  const file: Record<string, string> = JSON.parse(instructionFileToRead(vector)?.text ?? "{}");
  const fields: Record<string, string> = { ...vector.metadata, ...file };
  if (fields["x-amz-c"] !== undefined) return { format: "V3", content: "GCM", wrap: "current" };
  return {
    format: fields["x-amz-key"] === undefined ? "V2" : "V1",
    content: fields["x-amz-cek-alg"] === "AES/GCM/NoPadding" ? "GCM" : "CBC",
    wrap: CURRENT_WRAPS.includes(fields["x-amz-wrap-alg"]) ? "current" : "legacy",
  };
}
