import {
  decryptionFailed,
  EMPTY_STRING_MAP,
  isSameStringMap,
  quotedList,
  S3EncryptionError,
  type StringMap,
  type WrapAlgorithm,
} from "@s3ec/envelope";
import type { Keyring } from "./keyring.js";
import type { DecryptionMaterials, EncryptionMaterials, WithDataKey } from "./materials.js";
import type { DecryptionRequest, EncryptionRequest, MaterialsManager } from "./materials-manager.js";
import { keyringName } from "./name-of-keyring.js";
import { createSigningKey, verificationKeyOf } from "./signing-key.js";

/** One keyring, asked anew for each object, and its answers checked. */
export class DefaultMaterialsManager implements MaterialsManager {
  readonly #keyring: Keyring;

  /** @throws S3EncryptionError `invalid-argument` for what is no keyring */
  constructor(keyring: Keyring) {
    const isKeyring =
      typeof keyring?.onEncrypt === "function" &&
      typeof keyring.onDecrypt === "function" &&
      Array.isArray(keyring.wrapAlgorithms);
    if (!isKeyring) {
      throw new S3EncryptionError(
        "invalid-argument",
        "Pass a keyring, such as new KmsKeyring({ keyId }): an object with onEncrypt, onDecrypt and wrapAlgorithms. Several go into a MultiKeyring.",
      );
    }
    this.#keyring = keyring;
  }

  /** Those of the keyring. */
  get wrapAlgorithms(): readonly WrapAlgorithm[] {
    return this.#keyring.wrapAlgorithms;
  }

  /** Those of the keyring; none where it names none. */
  get instructionFileSuffixes(): readonly string[] {
    return this.#keyring.instructionFileSuffixes ?? [];
  }

  /** One for all: a keyring does not see bucket and key. */
  cachePartition(): string {
    return "";
  }

  /** The one keyring. */
  keyringFor(): Keyring {
    return this.#keyring;
  }

  /**
   * What the keyring's `onEncrypt` gives, and the signing key where the suite signs.
   * @throws S3EncryptionError `invalid-argument` for a context or description that no wrap would bind or store,
   * `invalid-configuration` where the keyring gave no 256-bit data key, no wrap of it or a legacy one, and what it throws
   */
  async getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>> {
    const { suite, algorithmBinding, materialDescription } = request;
    const { encryptionContext, ...signing } =
      suite.signature === undefined
        ? { encryptionContext: request.encryptionContext }
        : createSigningKey(suite.signature, request.encryptionContext);
    const materials = await this.#keyring.onEncrypt(
      Object.freeze({
        suite,
        algorithmBinding,
        encryptionContext,
        ...(materialDescription === undefined ? {} : { materialDescription }),
        ...(request.dataKey === undefined ? {} : { dataKey: request.dataKey }),
        encryptedDataKeys: Object.freeze([]),
      }),
    );
    const { dataKey, encryptedDataKeys } = materials;
    // Of an object that stands it may be shorter (H19), and is what it is.
    const isKey = request.dataKey === undefined ? dataKey?.symmetricKeySize === 32 : dataKey?.equals(request.dataKey);
    if (dataKey === undefined || isKey !== true || encryptedDataKeys.length === 0) {
      throw new S3EncryptionError(
        "invalid-configuration",
        request.dataKey === undefined
          ? "The keyring gave no 256-bit data key with an encrypted data key; a keyring must add both in onEncrypt."
          : "The keyring must keep the data key that its materials hold, and add an encrypted data key in onEncrypt.",
      );
    }
    if (encryptedDataKeys.some((key) => key.wrapAlgorithm.legacy)) {
      throw new S3EncryptionError(
        "invalid-configuration",
        "The keyring used a legacy wrap; legacy wraps are read only.",
      );
    }
    const describedBy = new Set(encryptedDataKeys.map((key) => key.wrapAlgorithm.describedBy));
    // Dropping what the caller meant to bind or to store would be noticed only when it is needed.
    const isBound = suite.authenticatesContext || describedBy.has("encryption-context");
    if (Object.keys(encryptionContext).length > 0 && !isBound) {
      throw new S3EncryptionError(
        "invalid-argument",
        "Only KMS keyrings bind an encryption context; pass materialDescription with raw keys, or leave it out. Where an object has a context, a further or new key that binds none is given so: to.encryptionContext: {}.",
      );
    }
    if (materialDescription !== undefined && !describedBy.has("material-description")) {
      throw new S3EncryptionError(
        "invalid-argument",
        "A material description is stored beside raw-key wraps of the S3 formats only; pass an encryptionContext instead.",
      );
    }
    return { ...materials, encryptionContext, ...signing, dataKey };
  }

  /**
   * What the keyring's `onDecrypt` gives, and the verification key where the suite signs.
   * @throws S3EncryptionError `context-mismatch`, before the keyring is asked, where context or description are not those
   * stored (S10); `no-matching-key` where it answers null; `decryption-failed` for a data key or public key that does not fit
   * the suite; and what the keyring throws
   */
  async getDecryptionMaterials(request: DecryptionRequest): Promise<WithDataKey<DecryptionMaterials>> {
    const { suite, algorithmBinding, encryptionContext, materialDescription, encryptedDataKeys } = request;
    checkCallersExpectations(request);
    const verification =
      suite.signature === undefined ? {} : { verificationKey: verificationKeyOf(suite.signature, encryptionContext) };
    const materials = await this.#keyring.onDecrypt(
      Object.freeze({
        suite,
        algorithmBinding,
        encryptionContext,
        ...(materialDescription === undefined ? {} : { materialDescription }),
      }),
      encryptedDataKeys,
    );
    // Plain JavaScript is quick to answer undefined where null is meant.
    if (!materials) {
      const wraps = quotedList(encryptedDataKeys.map((key) => key.wrapAlgorithm.name));
      throw new S3EncryptionError(
        "no-matching-key",
        `No configured keyring holds the wrapping key of this object (wrapped with: ${wraps}).`,
      );
    }
    const { dataKey } = materials;
    if (dataKey?.symmetricKeySize === undefined || !suite.dataKeyLengths.includes(dataKey.symmetricKeySize)) {
      throw decryptionFailed();
    }
    const { openedBy: said } = materials;
    // It is printed; a keyring of plain JavaScript may say anything.
    const isName = typeof said === "string" && said.length <= MAX_NAME_LENGTH;
    return { ...materials, ...verification, dataKey, openedBy: isName ? said : keyringName(this.#keyring) };
  }
}

const MAX_NAME_LENGTH = 500;

/** A reader that names a context or description means it to be checked; where no wrap can, refuse (S10). */
function checkCallersExpectations(request: DecryptionRequest): void {
  const { suite, encryptionContext, materialDescription, encryptedDataKeys } = request;
  // A format that authenticates the context compared it with the caller's before this request was made.
  const contextCannotBeChecked =
    !suite.authenticatesContext &&
    !isSameStringMap(encryptionContext, EMPTY_STRING_MAP) &&
    encryptedDataKeys.every((key) => key.wrapAlgorithm.describedBy !== "encryption-context");
  const stored = encryptedDataKeys
    .filter((key) => key.wrapAlgorithm.describedBy === "material-description")
    .map((key): StringMap => key.description);
  // KMS wraps carry no description: only an empty one is what they say.
  const descriptionDiffers =
    materialDescription !== undefined &&
    !(stored.length === 0 ? [EMPTY_STRING_MAP] : stored).some((map) => isSameStringMap(map, materialDescription));
  if (contextCannotBeChecked || descriptionDiffers) throw contextMismatch();
}

/** Begins with the text that users of the sibling clients already search for. */
export function contextMismatch(): S3EncryptionError {
  return new S3EncryptionError(
    "context-mismatch",
    "Provided encryption context does not match information retrieved from S3: pass exactly the encryptionContext that was written (raw keys bind none, outside messages), and no other materialDescription.",
  );
}
