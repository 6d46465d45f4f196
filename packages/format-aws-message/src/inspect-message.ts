import type { Inspection, ObjectToInspect } from "@s3ec/materials";
import type { ParsedHeader } from "./header.js";
import { parsedHeader } from "./open-message.js";
import { messagePlaintextLength } from "./opened-message.js";

/** What the header of a message says; nothing of it is secret, and nothing of it was authenticated. */
export interface MessageInspection extends Inspection {
  readonly format: "message";
  /** Of the message format. */
  readonly headerVersion: 1 | 2;
  /** Name of the algorithm suite in the AWS Encryption SDK. */
  readonly suite: string;
  /** Whether the content key is committed to. */
  readonly committing: boolean;
  /** Whether a signature stands at its end. */
  readonly signed: boolean;
  /** Plaintext bytes of a frame. */
  readonly frameLength: number;
  /** All that the header holds, a signed message's public key included. */
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Whose each wrapped key is; of the information, the text up to the first byte that is none. */
  readonly encryptedDataKeys: readonly { readonly providerId: string; readonly providerInfo: string }[];
  /** Bytes in S3. */
  readonly storedLength: number;
  /** Plaintext bytes; null for a signed message, whose signature has no fixed length. */
  readonly contentLength: number | null;
}

export function inspectMessage({ head, storedLength }: ObjectToInspect): MessageInspection {
  const header: ParsedHeader = parsedHeader(head);
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
