import type * as S3 from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";

/** The commands of annotations, which releases of the SDK before June 2026 have not. */
export type AnnotationCommands = Pick<
  typeof S3,
  | "DeleteObjectAnnotationCommand"
  | "GetObjectAnnotationCommand"
  | "ListObjectAnnotationsCommand"
  | "PutObjectAnnotationCommand"
>;

/** Whether this release of the SDK has them. */
export async function hasAnnotationCommands(): Promise<boolean> {
  return "ListObjectAnnotationsCommand" in (await import("@aws-sdk/client-s3"));
}

/** Throws `unsupported-operation` where the SDK has none. */
export async function annotationCommands(): Promise<AnnotationCommands> {
  if (await hasAnnotationCommands()) return await import("@aws-sdk/client-s3");
  throw new S3EncryptionError(
    "unsupported-operation",
    "This release of @aws-sdk/client-s3 has no object annotations: install a newer one, which has PutObjectAnnotationCommand.",
  );
}
