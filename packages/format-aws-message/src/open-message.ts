import {
  assertCommitmentAllows,
  assertHasCipher,
  isSameStringMap,
  malformedEnvelope,
  quotedList,
} from "@s3ec/envelope";
import {
  ANY_KEY_PROVIDER,
  CONTEXT_PUBLIC_KEY,
  contextMismatch,
  type EncryptedDataKey,
  isSameWrapAlgorithm,
  type ObjectHead,
  type ObjectToOpen,
  type OpenedObject,
  S3EncryptionError,
  stringMap,
} from "@s3ec/materials";
import { FrameKey } from "./frame-cipher.js";
import { encryptedDataKeysOf, type HeaderLimits, type ParsedHeader } from "./header.js";
import { gcmName, openMessageKey } from "./message-keys.js";
import { refuseSibling } from "./no-sibling.js";
import { SignedMessage, UnsignedMessage } from "./opened-message.js";

/** An object that begins with `head`, which holds everything itself. */
export type MessageToOpen = Omit<ObjectToOpen, "metadata" | "siblings">;

/**
 * Every gate, then the materials, then the commitment and the header's authentication: all before a byte of the body is
 * looked at (S5, S6).
 */
export async function openMessage(limits: HeaderLimits, message: MessageToOpen): Promise<OpenedObject> {
  refuseSibling(message);
  const { materialsManager, commitmentPolicy } = message;
  const header = parsedHeader(message.head);
  const { suite, encryptionContext } = header;
  assertCommitmentAllows(suite, commitmentPolicy, `message version ${suite.headerVersion}`);
  assertHasCipher(gcmName(suite));
  const declared = materialsManager.wrapAlgorithms;
  const encryptedDataKeys = encryptedDataKeysOf(header, declared);
  const isDeclared = ({ wrapAlgorithm }: EncryptedDataKey): boolean =>
    declared.some((entry) => isSameWrapAlgorithm(entry, wrapAlgorithm) || isSameWrapAlgorithm(entry, ANY_KEY_PROVIDER));
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
  const frameLength = isFramed ? header.frameLength : limits.maxFrameLength;
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

/**
 * A reader of a signed message knows its data key, and could write an unsigned message under the same wraps: those bind
 * the context, which still names the public key (AWS Encryption SDK, default CMM).
 */
function refuseUnsignedCopy({ suite, encryptionContext }: ParsedHeader): void {
  if (suite.signature !== undefined || !Object.hasOwn(encryptionContext, CONTEXT_PUBLIC_KEY)) return;
  throw malformedEnvelope(`The message's context holds "${CONTEXT_PUBLIC_KEY}", but its suite does not sign.`);
}

/** As `readHead` gave it. */
export function parsedHeader(header: ObjectHead | undefined): ParsedHeader {
  if (header !== undefined && "suite" in header && "authenticated" in header) return header as ParsedHeader;
  throw new S3EncryptionError("invalid-argument", "Open a message with the head that readHead gave.");
}
