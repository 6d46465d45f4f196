import type { GetObjectCommandInput, GetObjectCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { alignRange, type ByteRange, type ContentKey, decryptContentRange, parseByteRange } from "@s3ec/envelope";
import { S3EncryptionError } from "@s3ec/materials";
import { type CallOptions, callOptionsOf } from "../call-options.js";
import { withoutCiphertextChecksums } from "../ciphertext-checksums.js";
import { plaintextSize } from "../commands/plaintext-size.js";
import type { ResolvedOptions } from "../options.js";
import { plainClientOf } from "../plain-client.js";
import { requestAborted } from "../request-aborted.js";
import { outputBody, readableOf } from "../streams.js";
import { askAgain } from "./ask-again.js";
import { BesideObject } from "./beside-object.js";
import { getMessageRange } from "./get-message-range.js";
import { decryptionOfMessage, messageFormatFor, openMessage, readStart } from "./open-message.js";
import { openVersion } from "./open-version.js";
import { readAhead } from "./read-ahead.js";
import { resumedBody } from "./resumed-body.js";
import { assertWhole, rangeNotSatisfiable, servedRange } from "./served-range.js";
import { type CiphertextBody, decryptionOf, openWhole, type Plaintext } from "./whole-content.js";

type Result = { output: GetObjectCommandOutput; response: unknown };
type Next = (input: GetObjectCommandInput) => Promise<Result>;

/** How often the body of one object is asked for, as the SDK by default does with a request. */
const ATTEMPTS = 3;
/** Bytes of an object that may be held while its instruction file is fetched. */
const HELD_LENGTH = 1024 * 1024;

/** Sends a `GetObjectCommand` and decrypts what comes back. */
export async function getObject(
  options: ResolvedOptions,
  input: GetObjectCommandInput,
  next: Next,
  client: S3Client,
): Promise<Result> {
  const call = callOptionsOf(input);
  try {
    return await getDecrypted(options, call, input, { next, client });
  } catch (error) {
    // A body that is being read then only says that its connection was reset.
    throw call.abortSignal?.aborted === true ? requestAborted() : error;
  }
}

async function getDecrypted(
  options: ResolvedOptions,
  call: CallOptions,
  input: GetObjectCommandInput,
  { next, client }: { readonly next: Next; readonly client: S3Client },
): Promise<Result> {
  const range = requestedRange(input);
  if (range !== undefined) {
    const message = options.messageFormat && (await getMessageRange(options, call, input, range, next));
    if (message !== undefined) return { ...message, output: withoutCiphertextChecksums(message.output) };
    assertRangesEnabled(options);
  }
  const asked = range === undefined ? input : { ...input, Range: fetchedRange(range) };
  let result = await next(asked);
  const { output } = result;
  const bodyOf = (answered: Result): CiphertextBody =>
    resumedBody(answered.output, {
      asked,
      send: next,
      attempts: range === undefined ? ATTEMPTS : 1,
      signal: call.abortSignal,
    });
  let body = bodyOf(result);
  try {
    if (range === undefined) assertWhole(output);
    let { chunks } = body;
    const format = range === undefined ? messageFormatFor(options, call, output) : undefined;
    if (format !== undefined) {
      const start = await readStart(format, chunks);
      chunks = start.chunks;
      if (start.header !== undefined) {
        const message = await openMessage(format, options, call, start.header, input);
        const opened = await openWhole(options, decryptionOfMessage(message, output.ContentLength), {
          ...body,
          chunks,
        });
        return { ...result, output: { ...withoutCiphertextChecksums(output), ...(await whole(opened)) } };
      }
    }
    // An object that waits for its file must not keep a socket from it: enough of them would wait for ever. A small one is
    // read meanwhile; a large one is let go of, and asked for again.
    let held: AsyncIterable<Uint8Array> | undefined;
    let letGo = false;
    const makeRoom = (): void => {
      const length = output.ContentLength;
      if (length === undefined || length > HELD_LENGTH) {
        letGo = true;
        body.destroy();
      } else {
        held ??= readAhead(chunks, Buffer.allocUnsafeSlow(length));
      }
    };
    const get = async (file: GetObjectCommandInput): Promise<GetObjectCommandOutput> => {
      makeRoom();
      return (await next(file)).output;
    };
    const lister = (): S3Client => {
      makeRoom();
      return plainClientOf(client);
    };
    const beside = new BesideObject(lister, input, call.abortSignal);
    const content = await openVersion(options, call, input, output, { get, beside });
    if (letGo) {
      result = await askAgain(next, asked, output, output.ContentRange);
      body = bodyOf(result);
      chunks = body.chunks;
    }
    const ciphertext: CiphertextBody = { ...body, chunks: held ?? chunks };
    const decrypted =
      range === undefined
        ? await whole(await openWhole(options, decryptionOf(content, result.output.ContentLength), ciphertext))
        : await openRange(content, ciphertext, range, result.output);
    return { ...result, output: { ...withoutCiphertextChecksums(result.output), ...decrypted } };
  } catch (error) {
    body.destroy();
    throw error;
  }
}

function requestedRange(input: GetObjectCommandInput): ByteRange | undefined {
  if (input.PartNumber !== undefined) {
    throw new S3EncryptionError("unsupported-operation", "Parts of an encrypted object cannot be read on their own.");
  }
  return input.Range === undefined ? undefined : parseByteRange(input.Range);
}

/** A range of the S3 formats is not authenticated. */
function assertRangesEnabled({ enableLegacyUnauthenticatedModes }: ResolvedOptions): void {
  if (enableLegacyUnauthenticatedModes) return;
  throw new S3EncryptionError(
    "legacy-disabled",
    "Enable legacy unauthenticated modes to use Ranged Get; set enableLegacyUnauthenticatedModes to true.",
  );
}

/** Wide enough for any suite: whole blocks, one block before for CBC, the tag behind (docs/formats.md 1.7). */
function fetchedRange(range: ByteRange): string {
  if ("suffixLength" in range) return `bytes=-${range.suffixLength + 48}`;
  const first = Math.max(0, range.first - (range.first % 16) - 16);
  return range.last === undefined ? `bytes=${first}-` : `bytes=${first}-${range.last + 32}`;
}

type DecryptedBody = Pick<GetObjectCommandOutput, "Body" | "ContentLength" | "ContentRange">;

async function whole({ chunks, length, destroy }: Plaintext): Promise<DecryptedBody> {
  return { Body: await outputBody(readableOf(chunks, destroy)), ContentLength: length };
}

async function openRange(
  content: ContentKey,
  body: CiphertextBody,
  range: ByteRange,
  output: GetObjectCommandOutput,
): Promise<DecryptedBody> {
  const { first, last, total } = servedRange(output);
  // The padding hides how long CBC content is: only its writer may have said.
  const stated = plaintextSize({ ContentLength: total, Metadata: output.Metadata });
  const aligned = alignRange(content.suite, range, total, stated);
  if (aligned === undefined) throw rangeNotSatisfiable(output.$metadata);
  if (aligned.fetchFirst < first || aligned.fetchLast > last) {
    throw new S3EncryptionError("content-mismatch", "S3 answered with less than the range that was asked for.");
  }
  const needed = slice(body.chunks, aligned.fetchFirst - first, aligned.fetchLast - aligned.fetchFirst + 1);
  const stream = readableOf(decryptContentRange(content, aligned, needed), body.destroy);
  const start = aligned.blockOffset + aligned.skip;
  return {
    Body: await outputBody(stream),
    ContentLength: aligned.reachesEnd && aligned.total === undefined ? undefined : aligned.take,
    ContentRange: `bytes ${start}-${start + aligned.take - 1}/${aligned.total ?? "*"}`,
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
