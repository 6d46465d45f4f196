import { isDeepStrictEqual } from "node:util";
import {
  type CompletedPart,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandInput,
  type UploadPartCommandOutput,
} from "@aws-sdk/client-s3";
import { S3EncryptionError } from "@s3ec/materials";
import { type CallOptions, callOptionsOf } from "../call-options.js";
import { withoutCiphertextChecksums } from "../ciphertext-checksums.js";
import type { ResolvedOptions } from "../options.js";
import { plainClientOf } from "../plain-client.js";
import { unlessAborted } from "../request-aborted.js";
import { letGoOfBody, NOTHING } from "../streams.js";
import { completedPart } from "../transfer/multipart-upload.js";
import { MAX_PARTS } from "../transfer/parts-to-send.js";
import { Attempts, watched } from "../write/attempts.js";
import { requireStoredPart } from "../write/confirmed.js";
import { takePlaintext } from "../write/taken-body.js";
import type { EncryptedPart, HeldSending, OpenUpload, PartSaid, SealedPart } from "./open-upload.js";
import { foreignUpload, uploadsOf } from "./open-uploads.js";
import { readPart } from "./part-body.js";

type Result = { output: UploadPartCommandOutput; response: unknown };
type Next = (input: UploadPartCommandInput) => Promise<Result>;

/** Encrypts a part in its place and sends it; one that may be the last is held until it is known. */
export async function uploadPart(
  options: ResolvedOptions,
  given: UploadPartCommandInput,
  next: Next,
  client: S3Client,
): Promise<Result> {
  const upload = uploadsOf(options).find(given);
  if (upload !== undefined) {
    const { PartNumber } = given;
    return await upload.using(() => upload.taking(PartNumber, () => takePart(upload, given, next, client)));
  }
  const { allowUnencryptedCommands: allowed } = options;
  // Where this client begins encrypted uploads, one that it does not know may be one whose key it has let go of.
  if (["CreateMultipartUploadCommand", "UploadPartCommand"].every((name) => allowed.has(name))) return next(given);
  takePlaintext(given.Body);
  letGoOfBody(given.Body);
  throw foreignUpload("UploadPartCommand");
}

async function takePart(
  upload: OpenUpload,
  given: UploadPartCommandInput,
  next: Next,
  client: S3Client,
): Promise<Result> {
  // One that another put has taken is that one's, and left alone.
  takePlaintext(given.Body);
  try {
    return await encryptPart(upload, given, next, client);
  } finally {
    letGoOfBody(given.Body);
  }
}

async function encryptPart(
  upload: OpenUpload,
  given: UploadPartCommandInput,
  next: Next,
  client: S3Client,
): Promise<Result> {
  const { PartNumber: number = 0 } = given;
  if (!Number.isSafeInteger(number) || number < 1 || number > MAX_PARTS) {
    throw new S3EncryptionError("invalid-argument", `PartNumber must be a whole number from 1 to ${MAX_PARTS}.`);
  }
  const call = callOptionsOf(given);
  requireSameCall(upload, call);
  const { part, ciphertext, input } = await sealPart(upload, given, number, call.abortSignal);
  for (const before of upload.heldBefore(number)) await sendHeld(upload, before, client, call.abortSignal);
  if (part.held !== undefined) return heldAnswer(upload, part);
  const attempts = new Attempts();
  const body = { Body: ciphertext, ContentLength: ciphertext.length };
  const result = await upload.sending(() => next(watched({ ...input, ...body }, attempts)));
  requireSentPart(number, result.output, attempts);
  const ETag = upload.answered(part, completedPart(number, result.output));
  return { ...result, output: { ...withoutCiphertextChecksums(result.output), ETag } };
}

/** Nothing holds the plaintext any more while its ciphertext is being sent. */
async function sealPart(
  upload: OpenUpload,
  given: UploadPartCommandInput,
  number: number,
  signal: AbortSignal | undefined,
): Promise<SealedPart & Pick<PartSaid, "input">> {
  const { plaintext, ...said } = await upload.reading((until) => readPart(given, until), signal);
  return { ...(await upload.seal(number, plaintext, { ...said, signal })), input: said.input };
}

/** S3 has nothing of it: its ETag is one that says nothing. */
function heldAnswer(upload: OpenUpload, part: EncryptedPart): Result {
  return { output: { ETag: upload.answered(part), $metadata: { httpStatusCode: 200 } }, response: undefined };
}

/** Once, also where several parts that come behind it ask for it: each put of it could have another ETag. */
async function sendHeld(
  upload: OpenUpload,
  part: EncryptedPart,
  client: S3Client,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (part.held === undefined) return;
  part.sending ??= beginSending(upload, part, part.held, client);
  const { sending } = part;
  sending.waiting += 1;
  try {
    await upload.reading((until) => unlessAborted(() => sending.sent, until), signal);
  } finally {
    sending.waiting -= 1;
    if (sending.waiting === 0) {
      if (part.sending === sending) part.sending = undefined;
      sending.stop.abort();
    }
  }
}

function beginSending(upload: OpenUpload, part: EncryptedPart, held: Buffer, client: S3Client): HeldSending {
  const stop = new AbortController();
  const send = async (): Promise<void> => {
    part.sent = await sendPart(client, part.input, held, upload.until(stop.signal));
    part.held = undefined;
  };
  const sent = upload.sending(send);
  // Whoever waits for it is told; by then nobody may.
  sent.catch(NOTHING);
  return { sent, stop, waiting: 0 };
}

/** Sends ciphertext by a request of its own. */
export async function sendPart(
  client: S3Client,
  input: UploadPartCommandInput,
  Body: Buffer,
  abortSignal: AbortSignal,
): Promise<CompletedPart> {
  const attempts = new Attempts();
  const command = new UploadPartCommand(watched({ ...input, Body, ContentLength: Body.length }, attempts));
  const output = await plainClientOf(client).send(command, { abortSignal });
  const { PartNumber = 0 } = input;
  requireSentPart(PartNumber, output, attempts);
  return completedPart(PartNumber, output);
}

/** A call that says otherwise than the one that created the upload would be ignored (S10). */
export function requireSameCall(upload: OpenUpload, call: CallOptions): void {
  const { encryptionContext, materialDescription, instructionFileSuffix, format } = call;
  for (const [name, value] of Object.entries({
    encryptionContext,
    materialDescription,
    instructionFileSuffix,
    format,
  })) {
    const isGiven = typeof value === "object" ? Object.keys(value).length > 0 : value !== undefined;
    if (!isGiven || isDeepStrictEqual(value, Reflect.get(upload.call, name))) continue;
    throw new S3EncryptionError(
      "invalid-argument",
      `${name} belongs to CreateMultipartUploadCommand, which was given another one: leave it out.`,
    );
  }
}

/** Nothing of a part that was answered before its end is to arrive later, perhaps behind another try. */
function requireSentPart(number: number, output: UploadPartCommandOutput, attempts: Attempts): void {
  try {
    requireStoredPart(number, output, attempts.wasWritten);
  } catch (error) {
    attempts.endUnwritten();
    throw error;
  }
}
