import type { S3Client } from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";

/** How `createPresignedPost` of `@aws-sdk/s3-presigned-post` writes a policy. */
const POLICY_START = '{"expiration":"';

/**
 * Makes `createPresignedPost` reject with `unsupported-operation`: whoever holds such a form stores plaintext. It passes
 * the middleware by, but has the client's configuration encode the policy that it signs; nothing else that the SDK encodes
 * with it looks like one.
 */
export function refusePresignedPosts({ config }: S3Client): void {
  const { base64Encoder } = config;
  config.base64Encoder = (input) => {
    const start = typeof input === "string" ? input.slice(0, POLICY_START.length) : textOf(input);
    if (start === POLICY_START) throw presignedPost();
    return base64Encoder(input);
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, POLICY_START.length)).toString(
    "latin1",
  );
}

function presignedPost(): S3EncryptionError {
  return new S3EncryptionError(
    "unsupported-operation",
    "With a presigned POST its holder would store plaintext: make it with a plain S3Client if that is meant.",
  );
}
