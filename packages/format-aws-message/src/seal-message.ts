import { randomBytes } from "node:crypto";
import { assertMayEncrypt, formatStringMap } from "@s3ec/envelope";
import {
  type EncryptedDataKey,
  NO_SIBLINGS,
  type ObjectToSeal,
  S3EncryptionError,
  type SealedObject,
} from "@s3ec/materials";
import { encryptBody } from "./encrypt-body.js";
import { FrameKey } from "./frame-cipher.js";
import { bodyLength, layoutOfPlaintext, MAX_FRAMES } from "./frame-layout.js";
import { type HeaderDataKey, type HeaderLimits, isStorable, serializeHeader } from "./header.js";
import { headerTag, messageCommitment, messageKey } from "./message-keys.js";
import type { MessageSuite } from "./message-suites.js";
import { refuseSibling } from "./no-sibling.js";
import { signed } from "./signature.js";

/** What a message is written with. */
export interface MessageSettings {
  readonly suite: MessageSuite;
  /** Plaintext bytes of a frame. */
  readonly frameLength: number;
  readonly limits: HeaderLimits;
}

/** Gets materials, makes the header, and starts the one pass of encryption (S18). The message holds everything itself. */
export async function sealMessage(settings: MessageSettings, message: ObjectToSeal): Promise<SealedObject> {
  const { materialsManager, commitmentPolicy, encryptionContext, contentLength } = message;
  const suite = settings.suite;
  assertMayEncrypt(suite, commitmentPolicy);
  refuseReservedContext(encryptionContext);
  refuseSibling(message);
  if (contentLength !== undefined && contentLength > settings.frameLength * MAX_FRAMES) {
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
  if (encryptedDataKeys.length > settings.limits.maxEncryptedDataKeys) {
    throw new S3EncryptionError(
      "invalid-configuration",
      `The keyring wrapped the data key ${encryptedDataKeys.length} times, more than maxEncryptedDataKeys (${settings.limits.maxEncryptedDataKeys}).`,
    );
  }
  const messageId = randomBytes(suite.messageIdLength);
  const contentKey = messageKey(suite, dataKey, messageId);
  const header = serializeHeader({
    suite,
    messageId,
    encryptionContext: materials.encryptionContext,
    encryptedDataKeys: encryptedDataKeys.map(headerDataKey),
    frameLength: settings.frameLength,
    commitment: messageCommitment(dataKey, messageId),
  });
  const bytes = Buffer.concat([header, headerTag(suite, contentKey, header)]);
  if (bytes.length > settings.limits.maxHeaderLength) {
    throw new S3EncryptionError(
      "invalid-argument",
      `The message's header would have ${bytes.length} bytes, more than maxHeaderLength (${settings.limits.maxHeaderLength}): shorten the encryption context.`,
    );
  }
  const key = new FrameKey(suite, contentKey, messageId, settings.frameLength);
  const body = encryptBody(key, bytes, message.plaintext, contentLength);
  if (suite.signature === undefined) {
    const layout = contentLength === undefined ? undefined : layoutOfPlaintext(settings.frameLength, contentLength);
    const length = layout === undefined ? undefined : bytes.length + bodyLength(settings.frameLength, layout);
    return { metadata: {}, ciphertext: body, length, siblings: NO_SIBLINGS };
  }
  if (signingKey === undefined) {
    throw new S3EncryptionError(
      "invalid-configuration",
      "The materials manager gave no signing key for a signed message.",
    );
  }
  // A DER signature is as long as its numbers happen to be.
  return {
    metadata: {},
    ciphertext: signed(suite.signature.hash, signingKey, body),
    length: undefined,
    siblings: NO_SIBLINGS,
  };
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
