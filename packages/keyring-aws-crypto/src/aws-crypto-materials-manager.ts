import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import {
  CommitmentPolicy,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
  type NodeMaterialsManager,
} from "@aws-crypto/material-management-node";
import {
  type AlgorithmSuite,
  ANY_KEY_PROVIDER,
  assertKnownOptions,
  type DecryptionMaterials,
  type DecryptionRequest,
  decryptionFailed,
  type EncryptionMaterials,
  type EncryptionRequest,
  type MaterialsManager,
  S3EncryptionError,
  stringMap,
  type WithDataKey,
  type WrapAlgorithm,
} from "@s3ec/materials";
import { fromSdk, toSdk } from "./encrypted-data-keys.js";
import { unwrappingError, wrappingError } from "./sdk-errors.js";
import { sdkSuite, takeDataKey } from "./sdk-materials.js";

/** What is asked of a manager: every `NodeMaterialsManager` has it. */
export type EncryptionSdkManager = Pick<NodeMaterialsManager, "getEncryptionMaterials" | "decryptMaterials">;

/** Which materials manager of the AWS Encryption SDK. */
export interface AwsCryptoMaterialsManagerOptions {
  /** Any cryptographic materials manager of the AWS Encryption SDK for Node.js, of release 5: default, caching, your own. */
  readonly manager: EncryptionSdkManager;
}

/**
 * A cryptographic materials manager of the AWS Encryption SDK for JavaScript, as a manager of S3EC. It serves messages only.
 * What it adds to the encryption context goes into the message.
 */
export class AwsCryptoMaterialsManager implements MaterialsManager {
  /** Which providers' keys it opens, a manager of the SDK does not tell. */
  readonly wrapAlgorithms: readonly WrapAlgorithm[] = Object.freeze([ANY_KEY_PROVIDER]);
  readonly #manager: EncryptionSdkManager;

  /** @throws S3EncryptionError `invalid-argument` for an unknown option, and for what is no manager */
  constructor(options: AwsCryptoMaterialsManagerOptions) {
    assertKnownOptions(options, { manager: true }, "AwsCryptoMaterialsManager");
    const { manager } = options;
    if (typeof manager?.getEncryptionMaterials !== "function" || typeof manager.decryptMaterials !== "function") {
      throw new S3EncryptionError(
        "invalid-argument",
        "Pass a materials manager of the AWS Encryption SDK: an object with getEncryptionMaterials and decryptMaterials.",
      );
    }
    this.#manager = manager;
  }

  /** One for all: a manager of the SDK does not see bucket and key. */
  cachePartition(): string {
    return "";
  }

  /**
   * What the SDK's manager answers, with the encryption context as it made it.
   * @throws S3EncryptionError `unsupported-operation` unless it is for a message, `key-unavailable` when a key store cannot be
   * asked or refuses, `invalid-configuration` for any other failure and for an answer that does not fit the suite
   */
  async getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>> {
    const { suite, algorithmBinding, encryptionContext, commitmentPolicy, contentLength } = request;
    assertMessage(suite);
    const { material, signingKey } = await this.#encryptionMaterial({
      suite: sdkSuite(suite),
      encryptionContext: { ...encryptionContext },
      commitmentPolicy: CommitmentPolicy[commitmentPolicy],
      ...(contentLength === undefined ? {} : { plaintextLength: contentLength }),
    });
    const encryptedDataKeys = Object.freeze(fromSdk(material.encryptedDataKeys));
    const dataKey = takeDataKey(material);
    const isUsable = dataKey?.symmetricKeySize !== undefined && suite.dataKeyLengths.includes(dataKey.symmetricKeySize);
    const signsAsAsked = (suite.signature === undefined) === (signingKey === undefined);
    if (!isUsable || material.suite.id !== suite.id || !signsAsAsked || encryptedDataKeys.length === 0) {
      throw new S3EncryptionError(
        "invalid-configuration",
        "The AWS Encryption SDK's materials manager must answer for the suite that was asked for, with a data key, wraps of it and, where the suite signs, a signature key.",
      );
    }
    return Object.freeze({
      suite,
      algorithmBinding,
      encryptionContext: stringMap(Object.entries(material.encryptionContext)),
      dataKey,
      encryptedDataKeys,
      ...(signingKey === undefined ? {} : { signingKey }),
    });
  }

  async #encryptionMaterial(
    request: Parameters<EncryptionSdkManager["getEncryptionMaterials"]>[0],
  ): Promise<{ readonly material: NodeEncryptionMaterial; readonly signingKey: KeyObject | undefined }> {
    try {
      const material = await this.#manager.getEncryptionMaterials(request);
      return { material, signingKey: privateKeyOf(material) };
    } catch (error) {
      throw wrappingError(error);
    }
  }

  /**
   * What the SDK's manager answers.
   * @throws S3EncryptionError `unsupported-operation` unless it is for a message, `key-unavailable` when a key store cannot be
   * asked or refuses, otherwise `decryption-failed`
   */
  async getDecryptionMaterials(request: DecryptionRequest): Promise<WithDataKey<DecryptionMaterials>> {
    const { suite, algorithmBinding, encryptionContext, encryptedDataKeys } = request;
    assertMessage(suite);
    const own = toSdk(encryptedDataKeys);
    try {
      const material = await this.#manager.decryptMaterials({
        suite: sdkSuite(suite),
        encryptionContext: { ...encryptionContext },
        encryptedDataKeys: own,
      });
      const verificationKey = publicKeyOf(material);
      const dataKey = takeDataKey(material);
      const isUsable = suite.dataKeyLengths.includes(dataKey?.symmetricKeySize ?? 0);
      const verifiesAsAsked = (suite.signature === undefined) === (verificationKey === undefined);
      if (dataKey === undefined || !isUsable || !verifiesAsAsked) throw decryptionFailed();
      return Object.freeze({
        suite,
        algorithmBinding,
        encryptionContext: stringMap(Object.entries(material.encryptionContext)),
        dataKey,
        ...(verificationKey === undefined ? {} : { verificationKey }),
      });
    } catch (error) {
      throw unwrappingError(error);
    }
  }
}

function assertMessage({ wrapsNamedBy }: AlgorithmSuite): void {
  if (wrapsNamedBy === "provider") return;
  throw new S3EncryptionError(
    "unsupported-operation",
    "A materials manager of the AWS Encryption SDK serves messages only; other objects need a manager of S3EC.",
  );
}

/** The SDK holds its keys as PEM; a `CryptoKey` would be one of its browser half. */
function privateKeyOf({ signatureKey }: NodeEncryptionMaterial): KeyObject | undefined {
  return typeof signatureKey?.privateKey === "string" ? createPrivateKey(signatureKey.privateKey) : undefined;
}

function publicKeyOf({ verificationKey }: NodeDecryptionMaterial): KeyObject | undefined {
  return typeof verificationKey?.publicKey === "string" ? createPublicKey(verificationKey.publicKey) : undefined;
}
