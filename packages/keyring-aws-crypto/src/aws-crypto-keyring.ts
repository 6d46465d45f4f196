import {
  NodeDecryptionMaterial,
  NodeEncryptionMaterial,
  type EncryptedDataKey as SdkEncryptedDataKey,
} from "@aws-crypto/material-management-node";
import {
  ANY_KEY_PROVIDER,
  assertKnownOptions,
  type DecryptionMaterials,
  decryptionFailed,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
  S3EncryptionError,
  type WithDataKey,
  type WrapAlgorithm,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";
import { fromSdk, toSdk } from "./encrypted-data-keys.js";
import { unwrappingError, wrappingError } from "./sdk-errors.js";
import { handOver, sdkSuite, takeDataKey } from "./sdk-materials.js";

/** What is asked of a keyring: every `KeyringNode` has it. */
export interface EncryptionSdkKeyring {
  /** Adds a data key where there is none, and wraps it. */
  onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial>;
  /** Adds the data key of the first wrap that it opens; the material without one where it opens none. */
  onDecrypt(
    material: NodeDecryptionMaterial,
    encryptedDataKeys: SdkEncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial>;
}

/** Which keyring of the AWS Encryption SDK. */
export interface AwsCryptoKeyringOptions {
  /** Any keyring of the AWS Encryption SDK for Node.js, of release 5. */
  readonly keyring: EncryptionSdkKeyring;
}

/**
 * A keyring of the AWS Encryption SDK for JavaScript, as one of S3EC. It serves messages only: objects of the S3 encryption
 * clients know no wraps of its.
 */
export class AwsCryptoKeyring implements Keyring {
  /** Which providers' keys it opens, a keyring of the SDK does not tell. */
  readonly wrapAlgorithms: readonly WrapAlgorithm[] = Object.freeze([ANY_KEY_PROVIDER]);
  readonly #keyring: EncryptionSdkKeyring;

  /** @throws S3EncryptionError `invalid-argument` for an unknown option, and for what is no keyring */
  constructor(options: AwsCryptoKeyringOptions) {
    assertKnownOptions(options, { keyring: true }, "AwsCryptoKeyring");
    const { keyring } = options;
    if (typeof keyring?.onEncrypt !== "function" || typeof keyring.onDecrypt !== "function") {
      throw new S3EncryptionError(
        "invalid-argument",
        "Pass a keyring of the AWS Encryption SDK for Node.js: an object with onEncrypt and onDecrypt.",
      );
    }
    this.#keyring = keyring;
  }

  /**
   * Adds what the SDK's keyring wraps.
   * @throws S3EncryptionError `unsupported-operation` unless it is for a message, `key-unavailable` when the key store cannot be
   * asked or refuses, `invalid-configuration` for any other failure and where no data key or no wrap of it comes back
   */
  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    const { suite } = materials;
    if (suite.wrapsNamedBy !== "provider") {
      throw new S3EncryptionError(
        "unsupported-operation",
        "A keyring of the AWS Encryption SDK serves messages only: give the client their format, or a keyring of S3EC.",
      );
    }
    const { dataKey, added } = await this.#wrap(materials).catch((error: unknown) => {
      throw wrappingError(error);
    });
    const isUsable = dataKey?.symmetricKeySize !== undefined && suite.dataKeyLengths.includes(dataKey.symmetricKeySize);
    if (!isUsable || added.length === 0 || materials.dataKey?.equals(dataKey) === false) {
      throw new S3EncryptionError(
        "invalid-configuration",
        "The AWS Encryption SDK's keyring must add a data key where there is none, keep one that there is, and wrap it.",
      );
    }
    return added.reduce(withEncryptedDataKey<WithDataKey<EncryptionMaterials>>, withDataKey(materials, dataKey));
  }

  async #wrap({ suite, encryptionContext, dataKey }: EncryptionMaterials) {
    const material = new NodeEncryptionMaterial(sdkSuite(suite), { ...encryptionContext });
    if (dataKey !== undefined) await handOver(dataKey, material);
    try {
      const answer = await this.#keyring.onEncrypt(material);
      const added = fromSdk(answer.encryptedDataKeys);
      return { dataKey: takeDataKey(answer), added };
    } finally {
      material.zeroUnencryptedDataKey();
    }
  }

  /**
   * What the SDK's keyring opens; null where it opens none, and for what is no message.
   * @throws S3EncryptionError `key-unavailable` when the key store cannot be asked or refuses, otherwise `decryption-failed`
   */
  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    const { suite, encryptionContext } = materials;
    if (suite.wrapsNamedBy !== "provider") return null;
    const own = toSdk(encryptedDataKeys);
    if (own.length === 0) return null;
    const material = new NodeDecryptionMaterial(sdkSuite(suite), { ...encryptionContext });
    try {
      const dataKey = takeDataKey(await this.#keyring.onDecrypt(material, own));
      // Keyrings of the SDK do not tell a wrap that is another's from one that was altered.
      if (dataKey === undefined) return null;
      if (!suite.dataKeyLengths.includes(dataKey.symmetricKeySize ?? 0)) throw decryptionFailed();
      return withDataKey(materials, dataKey);
    } catch (error) {
      throw unwrappingError(error);
    } finally {
      material.zeroUnencryptedDataKey();
    }
  }
}
