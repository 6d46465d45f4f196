import { S3EncryptionError } from "@s3ec/materials";
import { invalid } from "./away-options.js";
import { type DecryptedBody, type ObjectAway, type OpenOptions, openObject } from "./open-object.js";

const USER_METADATA = "x-amz-meta-";

/**
 * Decrypts what a `GET` of an object was answered with, such as `await fetch(url)` of a presigned URL: its metadata is in
 * the `x-amz-meta-` headers. What `presignGet` gave beside the URL goes into the options:
 * `openResponse(await fetch(url), { keyring, instructionFile })`. The response is that of one request for the whole object.
 *
 * @throws S3EncryptionError as `openObject`; `invalid-argument` for an answer that is no object, such as S3's refusal of a URL
 *   that has expired, with its status; `content-mismatch` for a part of one, and for metadata that S3 could not give out;
 *   `unsupported-operation` where the body was decoded on its way
 */
export async function openResponse(response: Response, options: OpenOptions): Promise<DecryptedBody> {
  if (typeof response?.headers?.get !== "function" || typeof response.status !== "number") {
    throw invalid("Pass the Response of a fetch to openResponse, then { keyring }.");
  }
  try {
    return await openObject(objectOf(response), options);
  } catch (error) {
    // A connection that nobody reads from any more would stay open.
    if (response.body !== null && !response.body.locked) await response.body.cancel().catch(() => {});
    throw error;
  }
}

function objectOf({ status, headers, body, bodyUsed }: Response): ObjectAway {
  if (status === 206 || headers.has("content-range")) {
    throw new S3EncryptionError(
      "content-mismatch",
      "The answer is a part of the object: fetch all of it, without a Range header.",
    );
  }
  if (status !== 200) {
    throw invalid(
      `The answer is no object: its status is ${status}.${status === 403 ? " S3 answers so to a URL that has expired, or to other headers than those that were signed." : ""}`,
    );
  }
  if (bodyUsed) throw invalid("The body of this Response was read before: fetch it again.");
  const coding = headers.get("content-encoding") ?? "";
  if (/\b(?:br|compress|deflate|gzip|zstd)\b/i.test(coding)) {
    throw new S3EncryptionError(
      "unsupported-operation",
      `The object says that its content is ${coding}, which fetch undoes on the way, and the stored bytes are ciphertext: presign the URL with ResponseContentEncoding: "identity", as presignGet does.`,
    );
  }
  const missing = Number(headers.get("x-amz-missing-meta") ?? 0);
  if (missing > 0) {
    throw new S3EncryptionError(
      "content-mismatch",
      `S3 could not give out all of the object's metadata in headers (x-amz-missing-meta: ${missing}).`,
    );
  }
  const length = headers.get("content-length");
  const Metadata = Object.fromEntries(
    [...headers].flatMap(([name, value]) =>
      name.startsWith(USER_METADATA) ? [[name.slice(USER_METADATA.length), value]] : [],
    ),
  );
  return {
    Metadata,
    Body: body ?? new Uint8Array(0),
    ...(length === null ? {} : { ContentLength: Number(length) }),
  };
}
