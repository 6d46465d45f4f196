import { assertKnownOptions, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import { invalid } from "./away-options.js";
import { type DecryptedBody, type ObjectAway, OPEN, type OpenOptions, openAs, USER_METADATA } from "./open-object.js";
import type { PresignedGet } from "./presign-get.js";

/** Who opens an answer, and what lay beside the object. */
export interface OpenResponseOptions extends OpenOptions {
  /** What `presignGet` gave: its instruction file and annotations. Default: none; `instructionFile` and `annotations` name them. */
  readonly presigned?: PresignedGet | undefined;
}

const OPTIONS: OptionNames<OpenResponseOptions> = { ...OPEN, presigned: true };

/**
 * Decrypts what a `GET` of an object was answered with, such as `await fetch(url)` of a presigned URL: its metadata is in
 * the `x-amz-meta-` headers. What `presignGet` gave goes into the options:
 * `openResponse(await fetch(presigned.url), { keyring, presigned })`. The response is that of one request for the whole object.
 *
 * @throws S3EncryptionError as `openObject`; `invalid-argument` for an answer that is no object, such as S3's refusal of a URL
 *   that has expired, with its status; `content-mismatch` for a part of one, and for metadata that S3 could not give out;
 *   `unsupported-operation` where the body was decoded on its way
 */
export async function openResponse(response: Response, options: OpenResponseOptions): Promise<DecryptedBody> {
  if (typeof response?.headers?.get !== "function" || typeof response.status !== "number") {
    throw invalid("Pass the Response of a fetch to openResponse, then { keyring }.");
  }
  try {
    return await openAs("openResponse", objectOf(response), withPresigned(options));
  } catch (error) {
    // A connection that nobody reads from any more would stay open.
    if (response.body !== null && !response.body.locked) await response.body.cancel().catch(() => {});
    throw error;
  }
}

function withPresigned(options: OpenResponseOptions): OpenOptions {
  assertKnownOptions(options, OPTIONS, "openResponse");
  const { presigned, ...others } = options;
  if (presigned === undefined) return others;
  if (typeof presigned !== "object" || presigned === null) throw invalid("presigned must be what presignGet gave.");
  const twice = (["instructionFile", "annotations"] as const).find((name) => others[name] !== undefined);
  if (twice !== undefined) throw invalid(`Give either presigned or ${twice}.`);
  return { ...others, instructionFile: presigned.instructionFile, annotations: presigned.annotations };
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
