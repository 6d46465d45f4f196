import { GetObjectCommand, type GetObjectCommandInput, type S3Client } from "@aws-sdk/client-s3";
import { assertKnownOptions, type OpenedObject, type OptionNames, S3EncryptionError } from "@s3ec/materials";
import { CALL, callOptionsOf, type EncryptionCallOptions, withCallOptions } from "../call-options.js";
import { encryptionOf, plainClientOf } from "../plain-client.js";
import { requestAborted } from "../request-aborted.js";
import { defined } from "../rewrap/rewrap-options.js";
import { AnsweredObject, Asking } from "./answered-object.js";
import { openAnswered } from "./open-answered.js";
import { assertWhole } from "./served-range.js";
import { type CiphertextBody, stepOfReading } from "./whole-content.js";

/** Which object is verified, and what is said of it as to read it. */
export interface VerifyOptions
  extends EncryptionCallOptions,
    Pick<
      GetObjectCommandInput,
      | "ExpectedBucketOwner"
      | "IfMatch"
      | "RequestPayer"
      | "SSECustomerAlgorithm"
      | "SSECustomerKey"
      | "SSECustomerKeyMD5"
      | "VersionId"
    > {
  /** Its bucket. */
  readonly Bucket: string;
  /** Its key. */
  readonly Key: string;
  /** Ends the reading, which then throws. */
  readonly abortSignal?: AbortSignal;
}

/** An object that was read to its end. */
export interface VerifiedObject {
  /** Name of the format that it is of. */
  readonly formatName: string;
  /** Whether all of its content was authenticated. False for CBC, of which nothing can be: it was decrypted, and no more. */
  readonly isAuthenticated: boolean;
  /** Bytes of plaintext. */
  readonly length: number;
  /** Of the object that was read. */
  readonly ETag?: string;
  /** Of the object that was read, where its bucket keeps versions. */
  readonly VersionId?: string;
}

const OPTIONS: OptionNames<VerifyOptions> = {
  Bucket: true,
  Key: true,
  VersionId: true,
  IfMatch: true,
  ...CALL,
  ExpectedBucketOwner: true,
  RequestPayer: true,
  SSECustomerAlgorithm: true,
  SSECustomerKey: true,
  SSECustomerKeyMD5: true,
  abortSignal: true,
};

/**
 * Opens an object and authenticates all of its content, as a get would, and gives nothing of it out: whether it can be read.
 * Where a format can, no plaintext is made. Nothing is written, also not to a disk, and memory does not grow with the object.
 *
 * @param client an `S3EncryptionClient`, or one given to `encryptS3`
 * @throws S3EncryptionError what a get of the object throws, and `decryption-failed` for altered content; `invalid-argument`;
 *   S3's own errors
 */
export async function verifyObject(client: S3Client, options: VerifyOptions): Promise<VerifiedObject> {
  assertKnownOptions(options, OPTIONS, "verifyObject");
  const { encryptionContext, materialDescription, format, abortSignal, ...more } = options;
  const { instructionFileSuffix, instructionFileVersionId, preferInstructionFile, ...object } = more;
  for (const name of ["Bucket", "Key"] as const) {
    if (typeof object[name] !== "string" || object[name] === "") {
      throw new S3EncryptionError("invalid-argument", `verifyObject must be told a ${name}.`);
    }
  }
  const own = encryptionOf(client, undefined);
  const telemetry = own.telemetry.of("verifyObject", object);
  const encryption = { ...own, telemetry };
  const plain = plainClientOf(client);
  const said = { encryptionContext, materialDescription, format, abortSignal };
  const file = { instructionFileSuffix, instructionFileVersionId, preferInstructionFile };
  const input: GetObjectCommandInput = withCallOptions(object, defined({ ...said, ...file }));
  const call = callOptionsOf(input);
  const request = abortSignal === undefined ? {} : { abortSignal };
  const send = async (asked: GetObjectCommandInput) => ({
    output: await plain.send(new GetObjectCommand(asked), request),
    response: undefined,
  });
  try {
    const answered = new AnsweredObject(
      await send(input),
      input,
      new Asking(send, client, encryption, abortSignal),
      call,
    );
    try {
      assertWhole(answered.output);
      const { opened, format } = await openAnswered(encryption, call, input, answered);
      const body = await answered.content();
      const length = await telemetry.step(stepOfReading(opened), {}, async (step) => {
        const bytes = await provenLength(opened, body);
        step.learn("s3ec.content_length", bytes);
        return bytes;
      });
      const { ETag, VersionId } = answered.output;
      return {
        formatName: format.name,
        isAuthenticated: opened.proves !== "nothing",
        length,
        ...(ETag === undefined ? {} : { ETag }),
        ...(VersionId === undefined ? {} : { VersionId }),
      };
    } finally {
      answered.destroy();
    }
  } catch (error) {
    // A body that is being read then only says that its connection was reset.
    if (abortSignal?.aborted === true) throw requestAborted();
    telemetry.refused(error);
    throw error;
  }
}

async function provenLength(opened: OpenedObject, { chunks, giveOut }: CiphertextBody): Promise<number> {
  // What has no tag is not put together from two answers.
  if (opened.proves === "nothing") giveOut?.();
  const proof = opened.proof?.(false);
  if (proof !== undefined) {
    for await (const chunk of chunks) proof.add(chunk);
    return proof.prove().length;
  }
  let length = 0;
  for await (const piece of opened.decrypt(chunks)) length += piece.length;
  return length;
}
