import { randomBytes } from "node:crypto";
import {
  assertCommitmentAllows,
  assertMayEncrypt,
  formatStringMap,
  isSameStringMap,
  malformedEnvelope,
  quotedList,
} from "@s3ec/envelope";
import {
  ANY_KEY_PROVIDER,
  assertKnownOptions,
  CONTEXT_PUBLIC_KEY,
  contextMismatch,
  type EncryptedDataKey,
  isSameWrapAlgorithm,
  type MessageFormat,
  type MessageHeader,
  type MessageToOpen,
  type MessageToSeal,
  type OpenedMessage,
  type OptionNames,
  S3EncryptionError,
  type SealedMessage,
  stringMap,
} from "@s3ec/materials";
import { encryptBody } from "./encrypt-body.js";
import { FrameKey } from "./frame-cipher.js";
import { bodyLength, layoutOfPlaintext, MAX_FRAMES } from "./frame-layout.js";
import {
  encryptedDataKeysOf,
  type HeaderDataKey,
  type HeaderLimits,
  isStorable,
  type ParsedHeader,
  parseHeader,
  serializeHeader,
} from "./header.js";
import { headerTag, messageCommitment, messageKey, openMessageKey } from "./message-keys.js";
import { COMMITTED, COMMITTED_SIGNED, type MessageSuite } from "./message-suites.js";
import { SignedMessage, UnsignedMessage } from "./opened-message.js";
import { signed } from "./signature.js";

export interface AwsMessageFormatOptions {
  /** Plaintext bytes of a frame, the least that a ranged read fetches. Default 65,536. */
  readonly frameLength?: number;
  /**
   * Sign what is written (ECDSA P-384), so that its readers can be told from its writers. Such a message is read as a
   * whole only. Default false.
   */
  readonly signed?: boolean;
  /** Wrapped keys that a message may hold, on writing and on reading: each may cost a call to a key store. Default 10. */
  readonly maxEncryptedDataKeys?: number;
  /** Bytes that a header may have on reading. Default 131,072. */
  readonly maxHeaderLength?: number;
  /** Bytes that a frame may have on reading; one is held in memory until it is authenticated. Default 16 MiB. */
  readonly maxFrameLength?: number;
}

const OPTIONS: OptionNames<AwsMessageFormatOptions> = {
  frameLength: true,
  signed: true,
  maxEncryptedDataKeys: true,
  maxHeaderLength: true,
  maxFrameLength: true,
};

const DEFAULTS = {
  frameLength: 64 * 1024,
  maxEncryptedDataKeys: 10,
  maxHeaderLength: 128 * 1024,
  maxFrameLength: 16 * 1024 * 1024,
};

/**
 * Messages of the AWS Encryption SDK as the body of an object: what that SDK reads, in any language, after a plain
 * download. Writes the committed suites (header version 2); reads every suite, those without key commitment where the
 * commitment policy allows it. Throws `invalid-argument` for options out of their range.
 */
export class AwsMessageFormat implements MessageFormat {
  readonly #suite: MessageSuite;
  readonly #frameLength: number;
  readonly #limits: HeaderLimits;

  constructor(options: AwsMessageFormatOptions = {}) {
    assertKnownOptions(options, OPTIONS, "AwsMessageFormat");
    const { signed = false, ...given } = options;
    const { frameLength, ...limits } = { ...DEFAULTS, ...given };
    const bounds: Record<string, readonly [number, number]> = {
      frameLength: [frameLength, limits.maxFrameLength],
      maxEncryptedDataKeys: [limits.maxEncryptedDataKeys, 0xffff],
      maxHeaderLength: [limits.maxHeaderLength, Number.MAX_SAFE_INTEGER],
      maxFrameLength: [limits.maxFrameLength, 2 ** 31 - 1],
    };
    for (const [name, [value, max]] of Object.entries(bounds)) {
      if (Number.isSafeInteger(value) && value >= 1 && value <= max) continue;
      throw new S3EncryptionError("invalid-argument", `${name} must be a whole number from 1 to ${max}.`);
    }
    this.#suite = signed ? COMMITTED_SIGNED : COMMITTED;
    this.#frameLength = frameLength;
    this.#limits = limits;
  }

  async seal(message: MessageToSeal): Promise<SealedMessage> {
    const { materialsManager, commitmentPolicy, encryptionContext, contentLength } = message;
    const suite = this.#suite;
    assertMayEncrypt(suite, commitmentPolicy);
    refuseReservedContext(encryptionContext);
    if (contentLength !== undefined && contentLength > this.#frameLength * MAX_FRAMES) {
      throw new S3EncryptionError(
        "content-too-large",
        `The body has ${contentLength} bytes, more than ${MAX_FRAMES} frames hold; choose a larger frameLength.`,
      );
    }
    const materials = await materialsManager.getEncryptionMaterials({
      suite,
      algorithmBinding: suite.storedName,
      commitmentPolicy,
      encryptionContext,
      bucket: message.bucket,
      key: message.key,
      ...(message.materialDescription === undefined ? {} : { materialDescription: message.materialDescription }),
      ...(contentLength === undefined ? {} : { contentLength }),
    });
    const { dataKey, signingKey, encryptedDataKeys } = materials;
    if (encryptedDataKeys.length > this.#limits.maxEncryptedDataKeys) {
      throw new S3EncryptionError(
        "invalid-configuration",
        `The keyring wrapped the data key ${encryptedDataKeys.length} times, more than maxEncryptedDataKeys (${this.#limits.maxEncryptedDataKeys}).`,
      );
    }
    const messageId = randomBytes(suite.messageIdLength);
    const contentKey = messageKey(suite, dataKey, messageId);
    const header = serializeHeader({
      suite,
      messageId,
      encryptionContext: materials.encryptionContext,
      encryptedDataKeys: encryptedDataKeys.map(headerDataKey),
      frameLength: this.#frameLength,
      commitment: messageCommitment(dataKey, messageId),
    });
    const bytes = Buffer.concat([header, headerTag(suite, contentKey, header)]);
    if (bytes.length > this.#limits.maxHeaderLength) {
      throw new S3EncryptionError(
        "invalid-argument",
        `The message's header would have ${bytes.length} bytes, more than maxHeaderLength (${this.#limits.maxHeaderLength}): shorten the encryption context.`,
      );
    }
    const key = new FrameKey(suite, contentKey, messageId, this.#frameLength);
    const body = encryptBody(key, bytes, message.plaintext, contentLength);
    if (suite.signature === undefined) {
      const layout = contentLength === undefined ? undefined : layoutOfPlaintext(this.#frameLength, contentLength);
      const length = layout === undefined ? undefined : bytes.length + bodyLength(this.#frameLength, layout);
      return { ciphertext: body, length };
    }
    if (signingKey === undefined) {
      throw new S3EncryptionError(
        "invalid-configuration",
        "The materials manager gave no signing key for a signed message.",
      );
    }
    // A DER signature is as long as its numbers happen to be.
    return { ciphertext: signed(suite.signature.hash, signingKey, body), length: undefined };
  }

  parseHeader(start: Uint8Array): ParsedHeader | "incomplete" | null {
    return parseHeader(start, this.#limits);
  }

  async open(given: MessageHeader, message: MessageToOpen): Promise<OpenedMessage> {
    const { materialsManager, commitmentPolicy } = message;
    const header = parsedHeader(given);
    const { suite, encryptionContext } = header;
    assertCommitmentAllows(suite, commitmentPolicy, `message version ${suite.headerVersion}`);
    const declared = materialsManager.wrapAlgorithms;
    const encryptedDataKeys = encryptedDataKeysOf(header, declared);
    const isDeclared = ({ wrapAlgorithm }: EncryptedDataKey): boolean =>
      declared.some(
        (entry) => isSameWrapAlgorithm(entry, wrapAlgorithm) || isSameWrapAlgorithm(entry, ANY_KEY_PROVIDER),
      );
    if (!encryptedDataKeys.some(isDeclared)) {
      const providers = quotedList(header.encryptedDataKeys.map((key) => key.providerId));
      throw new S3EncryptionError(
        "no-matching-key",
        `The message's data key is wrapped by the key providers ${providers}, none of which a configured keyring knows.`,
      );
    }
    refuseUnsignedCopy(header);
    const callers = stringMap(Object.entries(encryptionContext).filter(([name]) => name !== CONTEXT_PUBLIC_KEY));
    if (!isSameStringMap(callers, message.encryptionContext)) throw contextMismatch();
    const { dataKey, verificationKey } = await materialsManager.getDecryptionMaterials({
      suite,
      algorithmBinding: suite.storedName,
      commitmentPolicy,
      encryptionContext,
      bucket: message.bucket,
      key: message.key,
      ...(message.materialDescription === undefined ? {} : { materialDescription: message.materialDescription }),
      encryptedDataKeys,
    });
    const { messageId, isFramed } = header;
    const frameLength = isFramed ? header.frameLength : this.#limits.maxFrameLength;
    const key = new FrameKey(suite, openMessageKey(header, dataKey), messageId, frameLength);
    if (suite.signature === undefined) return new UnsignedMessage(header, key);
    if (verificationKey === undefined) {
      throw new S3EncryptionError(
        "invalid-configuration",
        "The materials manager gave no verification key for a signed message.",
      );
    }
    return new SignedMessage(header, key, suite.signature.hash, verificationKey);
  }
}

function headerDataKey({ wrapAlgorithm, ciphertext, description, providerInfo }: EncryptedDataKey): HeaderDataKey {
  if (!isStorable(wrapAlgorithm) || ciphertext.length === 0) {
    throw new S3EncryptionError(
      "invalid-configuration",
      `The keyring gave an encrypted data key (${wrapAlgorithm.name}) that a message cannot hold.`,
    );
  }
  return {
    providerId: wrapAlgorithm.name,
    providerInfo: providerInfo ?? Buffer.from(formatStringMap(description)),
    ciphertext,
  };
}

/** The prefix belongs to the AWS Encryption SDK: its own entries could not be told from the caller's. */
function refuseReservedContext(context: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(context).find((name) => name.startsWith("aws-crypto-"));
  if (reserved === undefined) return;
  throw new S3EncryptionError(
    "invalid-argument",
    `The encryption context must not hold "${reserved}": names that start with aws-crypto- are reserved in messages.`,
  );
}

/**
 * A reader of a signed message knows its data key, and could write an unsigned message under the same wraps: those bind
 * the context, which still names the public key (AWS Encryption SDK, default CMM).
 */
function refuseUnsignedCopy({ suite, encryptionContext }: ParsedHeader): void {
  if (suite.signature !== undefined || !Object.hasOwn(encryptionContext, CONTEXT_PUBLIC_KEY)) return;
  throw malformedEnvelope(`The message's context holds "${CONTEXT_PUBLIC_KEY}", but its suite does not sign.`);
}

function parsedHeader(header: MessageHeader): ParsedHeader {
  if ("suite" in header && "authenticated" in header) return header as ParsedHeader;
  throw new S3EncryptionError("invalid-argument", "Open a message with the header that parseHeader gave.");
}
