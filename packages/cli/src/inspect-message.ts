import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { printable, readAtMost } from "@s3ec/envelope";
import { AwsMessageFormat, messagePlaintextLength, type ParsedHeader } from "@s3ec/format-aws-message";
import { withContext } from "./needed-context.js";
import { formatAddress, type ObjectAddress } from "./object-address.js";

/** What the header of a message says; nothing of it is secret, and nothing of it was authenticated. */
export interface MessageInspection {
  readonly format: "message";
  /** Of the message format of the AWS Encryption SDK. */
  readonly headerVersion: 1 | 2;
  /** Name of the algorithm suite in the AWS Encryption SDK. */
  readonly suite: string;
  /** Whether the suite commits to its key. */
  readonly committing: boolean;
  /** Whether a signature stands at the message's end. */
  readonly signed: boolean;
  /** Plaintext bytes of a frame; 0 where the content is one block. */
  readonly frameLength: number;
  /** As the header holds it, a signature's public key included. */
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Whose keys open it, in the order stored; `providerInfo` up to the first byte that is no text. */
  readonly encryptedDataKeys: readonly { readonly providerId: string; readonly providerInfo: string }[];
  /** Bytes in S3. */
  readonly storedLength: number;
  /** Plaintext bytes; null for a signed message, whose signature has no fixed length. */
  readonly contentLength: number | null;
}

/** A header is looked at whole, however many keys it holds. */
const HEADER_LENGTH = 1024 * 1024;
const FORMAT = new AwsMessageFormat({
  maxEncryptedDataKeys: 0xffff,
  maxHeaderLength: HEADER_LENGTH,
  maxFrameLength: 2 ** 31 - 1,
});

/** Reads the beginning of an object with a plain `S3Client`. Undefined where it is no message. */
export async function inspectMessage(
  client: S3Client,
  object: ObjectAddress & { readonly VersionId?: string },
  storedLength: number,
): Promise<MessageInspection | undefined> {
  if (storedLength === 0) return undefined;
  const { Body } = await client.send(new GetObjectCommand({ ...object, Range: `bytes=0-${HEADER_LENGTH - 1}` }));
  // A node stream in Node. A store that ignores the range sends more than was asked for.
  const header = FORMAT.parseHeader(await readAtMost(Body as AsyncIterable<Uint8Array>, HEADER_LENGTH));
  return header === null || header === "incomplete" ? undefined : inspectionOf(header, storedLength);
}

function inspectionOf(header: ParsedHeader, storedLength: number): MessageInspection {
  const { suite, frameLength, encryptionContext, encryptedDataKeys } = header;
  return {
    format: "message",
    headerVersion: suite.headerVersion,
    suite: suite.name,
    committing: suite.committing,
    signed: suite.signature !== undefined,
    frameLength,
    encryptionContext,
    encryptedDataKeys: encryptedDataKeys.map(({ providerId, providerInfo }) => ({
      providerId,
      providerInfo: textOf(providerInfo),
    })),
    storedLength,
    contentLength: messagePlaintextLength(header, storedLength) ?? null,
  };
}

/** Text up to the first byte that is none: raw AES keys put an IV behind their name. */
function textOf(bytes: Uint8Array): string {
  const text = /^[\x20-\x7e]*/.exec(Buffer.from(bytes).toString("latin1"))?.[0] ?? "";
  return text.length === bytes.length ? text : `${text} (and ${bytes.length - text.length} bytes)`;
}

/** The text that `s3ec inspect` prints. */
export function describeMessage(address: ObjectAddress, inspection: MessageInspection): string[] {
  const { suite, headerVersion, frameLength, contentLength, storedLength, committing, signed } = inspection;
  const context = Object.entries(inspection.encryptionContext).map(
    ([name, value]) => `    ${printable(`${name} = ${value}`)}`,
  );
  const keys = inspection.encryptedDataKeys.map(
    ({ providerId, providerInfo }) => `    ${printable(providerId)}: ${providerInfo}`,
  );
  return [
    formatAddress(address),
    `  Format      message of the AWS Encryption SDK, header version ${headerVersion}`,
    `  Content     ${suite}, in frames of ${frameLength} bytes`,
    `  Size        ${contentLength === null ? "unknown (its signature has no fixed length)" : `${contentLength} bytes of plaintext`}, ${storedLength} bytes stored`,
    `  Data key    wrapped ${keys.length === 1 ? "once" : `${keys.length} times`}, by key provider:`,
    ...keys,
    `  Encryption context${context.length === 0 ? ": none" : ":"}`,
    ...context,
    "  Written by  An AWS Encryption SDK, or this client. Nothing in it proves who.",
    ...(committing
      ? []
      : [
          "  Weak:",
          "    No key commitment: a writer who knows several keys can make one object that opens differently under each.",
        ]),
    `  To read it  beside ${withContext("one of its keys", Object.keys(inspection.encryptionContext))}, set messageFormat${committing ? "" : ", commitmentPolicy: REQUIRE_ENCRYPT_ALLOW_DECRYPT"}${signed ? "; as a whole only, since it is signed" : ""}.`,
  ];
}
