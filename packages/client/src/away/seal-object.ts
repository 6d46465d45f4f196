import type { Readable } from "node:stream";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { assertKnownOptions, type OptionNames } from "@s3ec/materials";
import { untilAborted } from "../request-aborted.js";
import { readableOf } from "../streams.js";
import { piecesToSend } from "../write/sent-body.js";
import { asCiphertext } from "../write/taken-body.js";
import { AWAY, type AwayOptions, invalid, resolveAway } from "./away-options.js";

/** What is to be encrypted. */
export interface ObjectToEncrypt {
  /** The plaintext: whatever a `PutObjectCommand` takes. */
  readonly Body: NonNullable<PutObjectCommandInput["Body"]>;
  /** Plaintext bytes, which the body then must have. Default: as many as it has. */
  readonly ContentLength?: number | undefined;
  /** User metadata of your own, in printable ASCII. Default: none. */
  readonly Metadata?: Readonly<Record<string, string>> | undefined;
}

/** An encrypted object, to be uploaded with any tool. */
export interface SealedUpload {
  /** User metadata to store with it: yours, and the envelope without which nobody can decrypt it. */
  readonly Metadata: Readonly<Record<string, string>>;
  /** The ciphertext, encrypted as it is read. It fails where the plaintext does. */
  readonly Body: Readable;
  /** Bytes of the ciphertext; undefined where only its end tells. */
  readonly ContentLength: number | undefined;
  /** To be stored beside the object, each at the object's key plus `suffix`; none where the metadata has all. */
  readonly instructionFiles: readonly SealedInstructionFile[];
  /** To be put as annotations of the object, once it is stored. */
  readonly annotations: readonly { readonly name: string; readonly text: string }[];
  /** Whether nobody can read the object without its files: store those first. */
  readonly needsInstructionFiles: boolean;
}

/** A file with a wrapped key, to be stored beside the object. */
export interface SealedInstructionFile {
  /** What follows the object's key in its own, such as `.instruction`. */
  readonly suffix: string;
  /** Its text. */
  readonly Body: string;
  /** User metadata to store with it, by which it is known whose file it is. */
  readonly Metadata: Readonly<Record<string, string>>;
}

const OBJECT: OptionNames<ObjectToEncrypt> = { Body: true, ContentLength: true, Metadata: true };

/**
 * Encrypts an object without storing it: `sealObject({ Body }, { keyring })`. It is what a put makes, and refuses what a put
 * refuses; to upload it, every part of the answer has to be stored. Nothing is sent but what a keyring sends.
 *
 * @throws S3EncryptionError `invalid-argument`, `invalid-configuration`, `commitment-policy`, `content-too-large`,
 *   `content-mismatch` for a body of another length than it was said to have, and what the keyring throws
 * @throws Error named `AbortError` once it was aborted; the `Body` that is given fails with it then
 */
export async function sealObject(object: ObjectToEncrypt, options: AwayOptions): Promise<SealedUpload> {
  const { encryption, input, call } = resolveAway(options, AWAY, "sealObject");
  if (typeof object !== "object" || object === null || object.Body === undefined || object.Body === null) {
    throw invalid("Pass what is to be encrypted: sealObject({ Body }, { keyring }).");
  }
  assertKnownOptions(object, OBJECT, "the object of sealObject");
  const { Body, ContentLength, Metadata } = object;
  // Loaded when it is needed, so that importing the client costs less.
  const { sealBody } = await import("../write/seal-object.js");
  const given = {
    Bucket: undefined,
    Key: undefined,
    ...input,
    Body,
    ...(ContentLength === undefined ? {} : { ContentLength }),
    ...(Metadata === undefined ? {} : { Metadata: { ...Metadata } }),
  };
  const sealed = await encryption.telemetry.refusing(() => sealBody(encryption, given));
  const { files, annotations = [], first } = sealed.siblings;
  return {
    Metadata: sealed.input.Metadata ?? {},
    Body: asCiphertext(untilAborted(readableOf(piecesToSend(sealed.ciphertext), sealed.destroy), call.abortSignal)),
    ContentLength: sealed.length,
    instructionFiles: files.map(({ suffix, body, metadata }) => ({ suffix, Body: body, Metadata: metadata })),
    annotations: annotations.map(({ name, text }) => ({ name, text })),
    needsInstructionFiles: first,
  };
}
