import { KMS_CONTEXT } from "@s3ec/envelope";
import {
  assertKnownOptions,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionMaterials,
  importDataKey,
  type Keyring,
  lendDataKey,
  type OptionNames,
  type WrapAlgorithm,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";
import { contextToBind } from "./bound-context.js";
import { assertKeyId, isSameKey, type KmsKeyArn, parseKeyArn, parseKmsArn } from "./key-arn.js";
import { type ConnectedKms, connectKms, type KmsClientOptions } from "./kms-client.js";
import { decryptBlob, encryptDataKey, generateDataKey, type KmsKey } from "./kms-operations.js";
import { unwrapFromMessage, wrapForMessage } from "./message-wrap.js";
import { KMS_WRAP_ALGORITHMS, unwrapDataKey } from "./unwrap.js";

export interface KmsKeyringOptions extends KmsClientOptions {
  /** Key id, key ARN, alias (`alias/app`), alias ARN or multi-Region key (`mrk-...`). Sent with every call (S11). */
  readonly keyId: string;
  /** Sent with every call, for grants that have not spread yet. */
  readonly grantTokens?: readonly string[];
  /**
   * Default false. Opens objects of early PHP clients, which bound the caller's context without storing it (H21): the
   * context you pass is then sent to KMS in its place.
   */
  readonly acceptUnstoredContext?: boolean;
}

const OPTIONS: OptionNames<KmsKeyringOptions> = {
  keyId: true,
  grantTokens: true,
  acceptUnstoredContext: true,
  client: true,
  region: true,
  clientConfig: true,
};

/**
 * Wraps data keys under a symmetric key in AWS KMS, bound to the content algorithm and to the encryption context.
 * Writes kms+context; reads kms+context, and kms where the client allows legacy wraps. Messages have the KMS wrap of the
 * AWS Encryption SDK, which binds all of their encryption context and names the key by its ARN.
 *
 * Throws `key-unavailable` when KMS cannot be asked or refuses, naming the permission or the region that is missing.
 */
export class KmsKeyring implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[] = KMS_WRAP_ALGORITHMS;
  readonly #kms: ConnectedKms;
  readonly #key: KmsKey;
  readonly #acceptUnstoredContext: boolean;

  constructor(options: KmsKeyringOptions) {
    assertKnownOptions(options, OPTIONS, "KmsKeyring");
    const { keyId, grantTokens = [], acceptUnstoredContext = false } = options;
    assertKeyId(keyId);
    this.#kms = connectKms(options, parseKmsArn(keyId)?.region);
    this.#key = { client: this.#kms.client, keyId, grantTokens: [...grantTokens] };
    this.#acceptUnstoredContext = acceptUnstoredContext;
  }

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    if (materials.suite.format === "message") return await wrapForMessage(this.#key, materials);
    const description = contextToBind(materials);
    const { dataKey } = materials;
    if (dataKey !== undefined) {
      const { blob } = await lendDataKey(dataKey, (bytes) => encryptDataKey(this.#key, description, bytes));
      return withEncryptedDataKey(materials, { wrapAlgorithm: KMS_CONTEXT, ciphertext: blob, description });
    }
    const { plaintext, blob } = await generateDataKey(this.#key, description);
    const generated = withDataKey(materials, importDataKey(plaintext));
    return withEncryptedDataKey(generated, { wrapAlgorithm: KMS_CONTEXT, ciphertext: blob, description });
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    if (materials.suite.format === "message") {
      return await unwrapFromMessage(materials, encryptedDataKeys, {
        key: (arn) => (this.#mayBe(arn) ? this.#key : undefined),
      });
    }
    return await unwrapDataKey(materials, encryptedDataKeys, {
      acceptUnstoredContext: this.#acceptUnstoredContext,
      decrypt: async (context, blob) => (await decryptBlob(this.#key, context, blob)).plaintext,
    });
  }

  /** What an alias stands for, KMS alone knows. */
  #mayBe(arn: KmsKeyArn): boolean {
    const { keyId } = this.#key;
    if (keyId.includes("alias/")) return true;
    const own = parseKeyArn(keyId);
    return own === undefined ? arn.id === keyId : isSameKey(arn, own);
  }

  /** Closes the connections of the keyring's own KMS client; a client that you passed stays open. */
  destroy(): void {
    this.#kms.destroy();
  }
}
