import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  type Part as ListedPart,
  ListPartsCommand,
  type ListPartsCommandOutput,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandOutput,
} from "@aws-sdk/client-s3";
import { isError, S3EncryptionError } from "@s3ec/materials";
import { isAbort, requestAborted } from "../request-aborted.js";
import { httpStatusOf } from "../s3-errors.js";
import { requireStoredPart } from "../write/confirmed.js";
import { patient } from "../write/patience.js";
import { bodyOf, MAX_PARTS, type ObjectToSend, type Part } from "./parts-to-send.js";
import { retried } from "./retried.js";

/** Milliseconds that a store has to remove what was sent; the caller of a store that answers nothing is not kept longer. */
const ABORTING_TIMEOUT = 30_000;

/** The requests of one multipart upload. */
export class MultipartUpload {
  readonly id: string;
  readonly #client: S3Client;
  readonly #object: ObjectToSend;

  /** @param id of one that was created before */
  constructor(client: S3Client, object: ObjectToSend, id: string) {
    this.#client = client;
    this.#object = object;
    this.id = id;
  }

  /**
   * Not to be cut off at once: whether there is an upload, to be aborted, would not be known.
   *
   * @throws AbortError whose cause says that, where the store did not answer
   */
  static async create(client: S3Client, object: ObjectToSend, signal: AbortSignal): Promise<MultipartUpload> {
    const { input } = object;
    // Without it, S3 answers no checksums of parts, of which it is told in the end.
    const isSummed = (await client.config.requestChecksumCalculation()) === "WHEN_SUPPORTED";
    const checksums = isSummed ? { ChecksumAlgorithm: input.ChecksumAlgorithm ?? "CRC32" } : {};
    const command = new CreateMultipartUploadCommand({ ...input, ...checksums });
    const { UploadId } = await client.send(command, { abortSignal: patient(signal) }).catch((error: unknown) => {
      throw isAbort(error) ? requestAborted(mayBeOpen(input.Key)) : error;
    });
    if (UploadId === undefined) throw new S3EncryptionError("unsupported-operation", "S3 gave the upload no id.");
    return new MultipartUpload(client, object, UploadId);
  }

  /** The parts that S3 has, by their number; undefined where there is no such upload any more. */
  async list(abortSignal: AbortSignal): Promise<ReadonlyMap<number, ListedPart> | undefined> {
    const { Bucket, Key, ExpectedBucketOwner, RequestPayer } = this.#object.input;
    const { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 } = this.#object.input;
    const sse = { SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 };
    const parts = new Map<number, ListedPart>();
    let marker: number | undefined = 0;
    while (marker !== undefined) {
      const PartNumberMarker: string | undefined = marker === 0 ? undefined : String(marker);
      const asked = { Bucket, Key, ExpectedBucketOwner, RequestPayer, ...sse, UploadId: this.id, PartNumberMarker };
      try {
        const page: ListPartsCommandOutput = await this.#client.send(new ListPartsCommand(asked), { abortSignal });
        for (const part of page.Parts ?? []) parts.set(partNumberBehind(0, part.PartNumber), part);
        // It rises to 10,000 at most, however many pages a store makes up.
        marker = page.IsTruncated === true ? partNumberBehind(marker, page.NextPartNumberMarker) : undefined;
      } catch (error) {
        if (httpStatusOf(error) === 404 && isError(error) && error.name !== "NoSuchBucket") return undefined;
        throw error;
      }
    }
    return parts;
  }

  /** Sends a part, again where that fails, until the client's retry strategy has enough. */
  async send(part: Part, abortSignal: AbortSignal): Promise<CompletedPart> {
    const { input, telemetry } = this.#object;
    const { number: PartNumber, length: ContentLength } = part;
    let isSentWhole = false;
    const output = await retried(
      this.#client,
      telemetry,
      abortSignal,
      () => {
        isSentWhole = false;
        return bodyOf(part, () => {
          isSentWhole = true;
        });
      },
      (Body) =>
        this.#client.send(new UploadPartCommand({ ...input, UploadId: this.id, PartNumber, ContentLength, Body }), {
          abortSignal,
        }),
    );
    requireStoredPart(PartNumber, output, isSentWhole);
    return completedPart(PartNumber, output);
  }

  /** The command that makes the object appear. */
  completion(parts: readonly CompletedPart[]): CompleteMultipartUploadCommand {
    const Parts = [...parts].sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    return new CompleteMultipartUploadCommand({
      ...this.#object.input,
      UploadId: this.id,
      MultipartUpload: { Parts },
    });
  }

  /**
   * Removes what was sent, once none of it is under way any more. Whether S3 says that there is no such upload: it was
   * completed then, or somebody else has removed it. `unknown`: it may still be there.
   */
  async abort(): Promise<"removed" | "gone" | "unknown"> {
    const { Bucket, Key, ExpectedBucketOwner, RequestPayer } = this.#object.input;
    const upload = { Bucket, Key, ExpectedBucketOwner, RequestPayer, UploadId: this.id };
    try {
      const abortSignal = AbortSignal.timeout(ABORTING_TIMEOUT);
      await this.#client.send(new AbortMultipartUploadCommand(upload), { abortSignal });
      return "removed";
    } catch (error) {
      // Why the upload failed is what its caller is told.
      return httpStatusOf(error) === 404 ? "gone" : "unknown";
    }
  }
}

/** @throws S3EncryptionError `unsupported-operation` for what is no part's number, or not above another */
function partNumberBehind(before: number, named: string | number | undefined): number {
  const number = Number(named);
  if (Number.isSafeInteger(number) && number > before && number <= MAX_PARTS) return number;
  throw new S3EncryptionError(
    "unsupported-operation",
    `The store's list of the upload's parts is none: it goes on from ${before}, to ${named}. Upload the file again, without what was kept.`,
  );
}

function mayBeOpen(key: string | undefined): S3EncryptionError {
  return new S3EncryptionError(
    "outcome-unknown",
    `Nothing was stored, but S3 did not answer whether it has begun a multipart upload for ${JSON.stringify(key)}: look for one (ListMultipartUploads), and abort it.`,
  );
}

/** A part as a completion names it, from what S3 says of it. */
export function completedPart(PartNumber: number, part: ListedPart | UploadPartCommandOutput): CompletedPart {
  const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } = part;
  const checksums = { ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 };
  return { PartNumber, ETag, ...checksums };
}

/** S3 writes the slashes of a key in it as it likes. */
export function withReadableLocation(
  output: CompleteMultipartUploadCommandOutput,
): CompleteMultipartUploadCommandOutput {
  const { Location } = output;
  return Location === undefined ? output : { ...output, Location: Location.replace(/%2F/g, "/") };
}
