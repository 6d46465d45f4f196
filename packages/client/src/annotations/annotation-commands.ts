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

/** Throws `unsupported-operation` where the SDK has none. */
export async function annotationCommands(): Promise<AnnotationCommands> {
  const sdk: typeof S3 = await import("@aws-sdk/client-s3");
  if (typeof sdk.ListObjectAnnotationsCommand === "function") return sdk;
  throw new S3EncryptionError(
    "unsupported-operation",
    "This release of @aws-sdk/client-s3 has no object annotations: install a newer one, which has PutObjectAnnotationCommand.",
  );
}
