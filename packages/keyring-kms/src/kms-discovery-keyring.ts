import {
  assertKnownOptions,
  type DecryptionMaterials,
  decryptionFailed,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
  type OptionNames,
  S3EncryptionError,
  type StringMap,
  type WrapAlgorithm,
} from "@s3ec/materials";
import { type KmsArn, parseKmsArn } from "./key-arn.js";
import { type ConnectedKms, connectKms, type KmsClientOptions } from "./kms-client.js";
import { decryptBlob } from "./kms-operations.js";
import { unwrapFromMessage } from "./message-wrap.js";
import { KMS_WRAP_ALGORITHMS, unwrapDataKey } from "./unwrap.js";

export interface KmsDiscoveryKeyringOptions extends KmsClientOptions {
  /** Accepts keys of these accounts only, in the partition `aws`, `aws-cn`, ... Default: any key that KMS lets us use. */
  readonly discoveryFilter?: { readonly partition: string; readonly accountIds: readonly string[] };
  /** Sent with every call, for grants that have not spread yet. */
  readonly grantTokens?: readonly string[];
}

const OPTIONS: OptionNames<KmsDiscoveryKeyringOptions> = {
  discoveryFilter: true,
  grantTokens: true,
  client: true,
  region: true,
  clientConfig: true,
};

/**
 * Reads what any KMS key wrapped that the caller may use, and writes nothing. Whoever can write to the bucket then
 * chooses the key (S11): they can have you read objects of their making. Use a `discoveryFilter`, and `KmsKeyring`
 * wherever the key is known.
 *
 * Messages name their key, so that a filter speaks before KMS is asked.
 */
export class KmsDiscoveryKeyring implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[] = KMS_WRAP_ALGORITHMS;
  readonly #kms: ConnectedKms;
  readonly #grantTokens: readonly string[];
  readonly #partition: string | undefined;
  readonly #accountIds: readonly string[];

  constructor(options: KmsDiscoveryKeyringOptions = {}) {
    assertKnownOptions(options, OPTIONS, "KmsDiscoveryKeyring");
    const { discoveryFilter, grantTokens = [] } = options;
    if (discoveryFilter !== undefined) assertFilter(discoveryFilter);
    this.#kms = connectKms(options);
    this.#grantTokens = [...grantTokens];
    this.#partition = discoveryFilter?.partition;
    this.#accountIds = [...(discoveryFilter?.accountIds ?? [])];
  }

  async onEncrypt(_materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    throw new S3EncryptionError(
      "unsupported-operation",
      "A discovery keyring only reads: write with a KmsKeyring, which names its key.",
    );
  }

  async onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<DecryptionMaterials | null> {
    if (materials.suite.format === "message") {
      const { client } = this.#kms;
      return await unwrapFromMessage(materials, encryptedDataKeys, {
        key: (arn, keyId) => (this.#accepts(arn) ? { client, keyId, grantTokens: this.#grantTokens } : undefined),
      });
    }
    return await unwrapDataKey(materials, encryptedDataKeys, {
      acceptUnstoredContext: false,
      decrypt: (context, blob) => this.#decrypt(context, blob),
    });
  }

  async #decrypt(context: StringMap, blob: Uint8Array): Promise<Uint8Array> {
    const key = { client: this.#kms.client, grantTokens: this.#grantTokens };
    const { plaintext, keyArn } = await decryptBlob(key, context, blob);
    // KMS's word on which key it used; nothing that is stored with the object is believed.
    if (this.#accepts(parseKmsArn(keyArn))) return plaintext;
    plaintext.fill(0);
    throw decryptionFailed();
  }

  #accepts(arn: KmsArn | undefined): boolean {
    if (this.#partition === undefined) return true;
    return arn !== undefined && arn.partition === this.#partition && this.#accountIds.includes(arn.accountId);
  }

  /** Closes the connections of the keyring's own KMS client; a client that you passed stays open. */
  destroy(): void {
    this.#kms.destroy();
  }
}

function assertFilter(filter: { readonly partition: string; readonly accountIds: readonly string[] }): void {
  assertKnownOptions(filter, { partition: true, accountIds: true }, "discoveryFilter");
  const { partition, accountIds } = filter;
  const wellFormed =
    Array.isArray(accountIds) && accountIds.length > 0 && accountIds.every((id) => /^\d{12}$/.test(id));
  if (!wellFormed || typeof partition !== "string" || !/^aws[a-z-]*$/.test(partition)) {
    throw new S3EncryptionError(
      "invalid-argument",
      'A discoveryFilter needs a partition such as "aws" and one or more account ids of 12 digits.',
    );
  }
}
