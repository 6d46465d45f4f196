import { resolve as absolute } from "node:path";
import { fileURLToPath } from "node:url";
import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { isReservedMetadata } from "@s3ec/envelope";
import type { ObjectFormat, OpenedObject, OptionNames } from "@s3ec/materials";
import { type Answered, openAnswered } from "../read/open-answered.js";
import { requestAborted, untilAborted } from "../request-aborted.js";
import { outputBody, readableOf } from "../streams.js";
import { AWAY, type AwayOptions, invalid, type ResolvedAway, resolveAway } from "./away-options.js";
import { type GivenBeside, GivenFiles } from "./given-files.js";
import { type GivenBody, givenBody, type StoredBody } from "./stored-body.js";

/** What the names of user metadata have in front of them in headers, and not in answers of S3's SDKs. */
export const USER_METADATA = "x-amz-meta-";

/** An encrypted object as it was stored, wherever that is now. */
export interface ObjectAway {
  /**
   * Its user metadata, as S3 answers it or `aws s3api head-object` prints it: without `x-amz-meta-` in front. A message of the
   * AWS Encryption SDK needs none. Default: none.
   */
  readonly Metadata?: Readonly<Record<string, string>> | undefined;
  /** The stored bytes. */
  readonly Body: StoredBody;
  /** How many stored bytes there have to be. Default: as many as there are. */
  readonly ContentLength?: number | undefined;
}

/** Who opens an object, and what lay beside it. */
export interface OpenOptions extends AwayOptions, GivenBeside {}

export const OPEN: OptionNames<OpenOptions> = { ...AWAY, instructionFile: true, annotations: true };

/** What is known of an object that was opened. */
export interface DecryptedObject {
  /** Name of the format that it is of. */
  readonly formatName: string;
  /** Whether all of its content is authenticated. False for CBC, of which nothing can be. */
  readonly isAuthenticated: boolean;
  /** Bytes of plaintext; undefined where only the end of a stream tells. */
  readonly ContentLength: number | undefined;
}

/** An object that was opened, and its plaintext. */
export interface DecryptedBody extends DecryptedObject {
  /**
   * The plaintext, as the `Body` of a `GetObjectCommand`: a `Readable` with `transformToByteArray`, `transformToString` and
   * `transformToWebStream`. To be read, or destroyed.
   */
  readonly Body: NonNullable<GetObjectCommandOutput["Body"]>;
}

/**
 * Decrypts an object that is not in S3, or was fetched by another tool: `openObject({ ...head, Body }, { keyring })`, where
 * `head` is what `aws s3api head-object` printed. It passes the same gates as a get, in the same order, and nothing is given
 * out before it is authenticated: `bufferSize`, `spool`, `enableDelayedAuthenticationMode` and the legacy switches are those of
 * a client. Nothing is sent but what a keyring sends.
 *
 * @throws S3EncryptionError what a get throws, such as `not-encrypted`, `malformed-envelope`, `commitment-policy`,
 *   `legacy-disabled`, `no-matching-key` or `decryption-failed`; `content-mismatch` where the `Body` is shorter or longer than
 *   `ContentLength`; `invalid-argument`, `invalid-configuration`
 * @throws Error named `AbortError` once it was aborted, with which the `Body` that is given fails then; what the `Body` failed with
 */
export async function openObject(object: ObjectAway, options: OpenOptions): Promise<DecryptedBody> {
  return await openAs("openObject", object, options);
}

/** @param whose name of the function that was called */
export async function openAs(whose: string, object: ObjectAway, options: OpenOptions): Promise<DecryptedBody> {
  return await opened(object, resolve(options, whose), async (found, { encryption, call }, body) => {
    const { openWhole } = await import("../read/whole-content.js");
    const plaintext = await openWhole(encryption, found.opened, body.length, body);
    const readable = untilAborted(readableOf(plaintext.chunks, plaintext.destroy), call.abortSignal);
    return { ...described(found), ContentLength: plaintext.length, Body: await outputBody(readable) };
  });
}

/**
 * The same into a file, which gets its name only once it is whole, authenticated and on the disk; whatever fails, what stood
 * there still stands, and nothing else is left. It is decrypted once, straight into its place.
 *
 * @param path of the file to make or replace, or its `file:` URL
 * @throws S3EncryptionError as `openObject`; `content-too-large` where the disk has no room for it, `invalid-argument` where the file
 *   cannot be made; the file system's own errors
 */
export async function openObjectToFile(
  object: ObjectAway,
  path: string | URL,
  options: OpenOptions,
): Promise<DecryptedObject> {
  // The process may go to another folder meanwhile.
  const file = absolute(typeof path === "string" ? path : fileURLToPath(path));
  return await opened(object, resolve(options, "openObjectToFile"), async (found, { encryption }, body) => {
    const { appendAll, writeWholeFile } = await import("../transfer/whole-file.js");
    const chunks = found.opened.decrypt(body.chunks);
    let length = 0;
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        length += chunk.length;
        yield chunk;
      }
    };
    const expected = body.length === undefined ? undefined : found.opened.plaintextLength(body.length);
    await writeWholeFile(file, {
      length: expected,
      isProven: false,
      writeTo: (handle) => encryption.telemetry.step("s3ec.decrypt", {}, () => appendAll(handle, counted())),
    });
    return { ...described(found), ContentLength: length };
  });
}

interface Found {
  readonly opened: OpenedObject;
  readonly format: ObjectFormat;
}

type Away = ResolvedAway & { readonly beside: GivenFiles };

function resolve(options: OpenOptions, whose: string): Away {
  const away = resolveAway(options, OPEN, whose);
  const beside = new GivenFiles(options);
  // Whoever gives a file means it.
  const { instructionFileSuffix = beside.suffix } = away.call;
  const call = { ...away.call, instructionFileSuffix, preferInstructionFile: beside.hasFile };
  return { ...away, call, beside };
}

function described({ opened: { proves }, format }: Found): Pick<DecryptedObject, "formatName" | "isAuthenticated"> {
  return { formatName: format.name, isAuthenticated: proves !== "nothing" };
}

async function opened<Result>(
  object: ObjectAway,
  away: Away,
  give: (found: Found, away: Away, body: GivenBody) => Promise<Result>,
): Promise<Result> {
  if (typeof object !== "object" || object === null) throw invalid("Pass the object: { Metadata, Body }.");
  const { Metadata = {}, Body, ContentLength } = object;
  assertMetadata(Metadata);
  const body = givenBody(Body, ContentLength);
  const { abortSignal } = away.call;
  const answered: Answered = { output: { Metadata }, chunks: body.chunks, beside: () => away.beside };
  abortSignal?.addEventListener("abort", body.destroy, { once: true });
  try {
    const input: GetObjectCommandInput = { Bucket: undefined, Key: undefined, ...away.input };
    const found = await openAnswered(away.encryption, away.call, input, answered);
    return await give(found, away, { ...body, chunks: answered.chunks });
  } catch (error) {
    body.destroy();
    if (abortSignal?.aborted === true) throw requestAborted();
    away.encryption.telemetry.refused(error);
    throw error;
  } finally {
    abortSignal?.removeEventListener("abort", body.destroy);
  }
}

function assertMetadata(metadata: unknown): asserts metadata is Readonly<Record<string, string>> {
  const isMap = typeof metadata === "object" && metadata !== null && !(Symbol.iterator in metadata);
  if (!isMap || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw invalid("Metadata must be an object of texts by their names, as S3 answers it.");
  }
  const isHeader = (name: string): boolean => name.toLowerCase().startsWith(USER_METADATA);
  const header = Object.keys(metadata).find(isHeader);
  // An owner may have called theirs so, too.
  const isEnvelope = (name: string): boolean => isReservedMetadata(name) && !isHeader(name);
  if (header === undefined || Object.keys(metadata).some(isEnvelope)) return;
  throw invalid(
    `Leave ${USER_METADATA} off the names of Metadata, as S3's SDKs do: ${JSON.stringify(header)} is a header's.`,
  );
}
