import { Readable } from "node:stream";
import { type GetObjectCommandInput, type GetObjectCommandOutput, S3ServiceException } from "@aws-sdk/client-s3";
import {
  alignRange,
  assertMayDecrypt,
  type ByteRange,
  type ContentKey,
  classifyEnvelope,
  decryptContent,
  decryptContentRange,
  decryptContentUnverified,
  type Envelope,
  openContentKey,
  parseByteRange,
} from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { destroyStream, outputBody, readableOf } from "./body.js";
import { type CallOptions, callOptionsOf } from "./call-options.js";
import { fetchInstructionFile } from "./instruction-files.js";
import type { ResolvedOptions } from "./options.js";
import { withoutCiphertextChecksums } from "./put-object.js";
import { spoolContent } from "./spool.js";

type Result = { output: GetObjectCommandOutput; response: unknown };
type Next = (input: GetObjectCommandInput) => Promise<Result>;

/** Sends a `GetObjectCommand` and decrypts what comes back. */
export async function getObject(options: ResolvedOptions, input: GetObjectCommandInput, next: Next): Promise<Result> {
  const call = callOptionsOf(input);
  const range = requestedRange(options, input);
  const result = await next(range === undefined ? input : { ...input, Range: fetchedRange(range) });
  const { output } = result;
  if ("presigned" in output) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "A presigned URL of this client would give out ciphertext: presign with a plain S3Client, and decrypt with the encryption client.",
    );
  }
  const body = output.Body;
  if (!(body instanceof Readable)) {
    throw new S3EncryptionError(
      "unsupported-operation",
      "The S3 client must answer with Node streams to be decrypted.",
    );
  }
  try {
    if (range === undefined && output.ContentRange !== undefined) {
      throw new S3EncryptionError(
        "content-mismatch",
        "S3 answered with a part of the object although all was asked for.",
      );
    }
    const envelope = await fetchEnvelope(options, call, input, output, async (file) => (await next(file)).output);
    const content = await contentKey(options, call, envelope);
    const decrypted =
      range === undefined
        ? await openWhole(options, content, body, output.ContentLength)
        : openRange(content, body, range, output);
    return { ...result, output: { ...withoutCiphertextChecksums(output), ...decrypted } };
  } catch (error) {
    destroyStream(body);
    throw error;
  }
}

function requestedRange(options: ResolvedOptions, input: GetObjectCommandInput): ByteRange | undefined {
  if (input.PartNumber !== undefined) {
    throw new S3EncryptionError("unsupported-operation", "Parts of an encrypted object cannot be read on their own.");
  }
  if (input.Range === undefined) return undefined;
  if (!options.enableLegacyUnauthenticatedModes) {
    throw new S3EncryptionError("legacy-disabled", "Enable legacy unauthenticated modes to use Ranged Get.");
  }
  return parseByteRange(input.Range);
}

/** Wide enough for any suite: whole blocks, one block before for CBC, the tag behind (docs/formats.md 1.7). */
function fetchedRange(range: ByteRange): string {
  if ("suffixLength" in range) return `bytes=-${range.suffixLength + 48}`;
  const first = Math.max(0, range.first - (range.first % 16) - 16);
  return range.last === undefined ? `bytes=${first}-` : `bytes=${first}-${range.last + 32}`;
}

async function fetchEnvelope(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  { Metadata = {} }: GetObjectCommandOutput,
  get: (input: GetObjectCommandInput) => Promise<GetObjectCommandOutput>,
): Promise<Envelope> {
  const { materialsManager, instructionFiles } = options;
  const classified = classifyEnvelope(Metadata, {
    wrapAlgorithms: materialsManager.wrapAlgorithms,
    preferInstructionFile: call.preferInstructionFile,
  });
  if (classified.placement === "metadata") return classified.envelope;
  if (!instructionFiles.read) {
    throw new S3EncryptionError(
      "not-encrypted",
      "The object's metadata holds no wrapped key, and reading instruction files is disabled (disableInstructionFile).",
    );
  }
  const file = await fetchInstructionFile(get, input, {
    suffix: call.instructionFileSuffix ?? instructionFiles.suffix,
    tryDotNetV1: options.enableLegacyWrappingAlgorithms,
  });
  return classified.complete(file);
}

/** Gates first, then materials, then the commitment: the order that keeps keys out of refused objects' reach (S6). */
async function contentKey(options: ResolvedOptions, call: CallOptions, envelope: Envelope): Promise<ContentKey> {
  const { materialsManager, commitmentPolicy } = options;
  assertMayDecrypt(envelope, options, materialsManager.wrapAlgorithms);
  const { dataKey } = await materialsManager.getDecryptionMaterials({
    suite: envelope.suite,
    algorithmBinding: envelope.algorithmBinding,
    commitmentPolicy,
    encryptionContext: call.encryptionContext,
    ...(call.materialDescription === undefined ? {} : { materialDescription: call.materialDescription }),
    encryptedDataKeys: [envelope.encryptedDataKey],
  });
  return openContentKey(envelope, dataKey);
}

type DecryptedBody = Pick<GetObjectCommandOutput, "Body" | "ContentLength" | "ContentRange">;

async function openWhole(
  options: ResolvedOptions,
  content: ContentKey,
  body: Readable,
  storedLength: number | undefined,
): Promise<DecryptedBody> {
  const { suite } = content;
  const length = storedLength === undefined ? undefined : storedLength - suite.tagLength;
  if (length !== undefined && length <= options.bufferSize && !options.enableDelayedAuthenticationMode) {
    const chunks = await decryptContent(content, body);
    const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return { Body: outputBody(Readable.from(chunks, { objectMode: false })), ContentLength: total };
  }
  // CBC carries no tag, so holding it back would prove nothing.
  if (options.enableDelayedAuthenticationMode || suite.cipher === "cbc") {
    const stream = readableOf(decryptContentUnverified(content, body), () => destroyStream(body));
    return { Body: outputBody(stream), ContentLength: suite.cipher === "cbc" ? undefined : length };
  }
  if (options.spool === false) {
    throw new S3EncryptionError(
      "content-too-large",
      `The object is larger than bufferSize (${options.bufferSize} bytes), the most that is held until it is authenticated: raise bufferSize, allow spooling, or accept enableDelayedAuthenticationMode.`,
    );
  }
  const spooled = await spoolContent(content, body, options.spool.directory);
  const stream = readableOf(spooled.chunks, () => void spooled.destroy().catch(() => {}));
  return { Body: outputBody(stream), ContentLength: spooled.length };
}

function openRange(
  content: ContentKey,
  body: Readable,
  range: ByteRange,
  { ContentRange = "", $metadata }: GetObjectCommandOutput,
): DecryptedBody {
  const served = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange);
  if (served === null) throw new S3EncryptionError("content-mismatch", "S3 did not say which range it answered with.");
  const [first, last, total] = served.slice(1).map(Number) as [number, number, number];
  const aligned = alignRange(content.suite, range, total);
  if (aligned === undefined) {
    throw new S3ServiceException({
      name: "InvalidRange",
      $fault: "client",
      message: "The requested range is not satisfiable",
      $metadata: { ...$metadata, httpStatusCode: 416 },
    });
  }
  if (aligned.fetchFirst < first || aligned.fetchLast > last) {
    throw new S3EncryptionError("content-mismatch", "S3 answered with less than the range that was asked for.");
  }
  const needed = slice(body, aligned.fetchFirst - first, aligned.fetchLast - aligned.fetchFirst + 1);
  const stream = readableOf(decryptContentRange(content, aligned, needed), () => destroyStream(body));
  const start = aligned.blockOffset + aligned.skip;
  const isCbc = content.suite.cipher === "cbc";
  return {
    Body: outputBody(stream),
    // The padding hides how long CBC content is, so near its end neither length is known.
    ContentLength: isCbc && aligned.reachesEnd ? undefined : aligned.take,
    ContentRange: `bytes ${start}-${start + aligned.take - 1}/${isCbc ? "*" : total - content.suite.tagLength}`,
  };
}

async function* slice(chunks: AsyncIterable<Uint8Array>, skip: number, take: number): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, skip - offset), Math.max(0, skip + take - offset));
    offset += chunk.length;
    if (part.length > 0) yield part;
    if (offset >= skip + take) return;
  }
}
