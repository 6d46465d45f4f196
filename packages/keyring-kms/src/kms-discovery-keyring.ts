import {
  assertKnownOptions,
  decryptionFailed,
  type EncryptionMaterials,
  type OptionNames,
  S3EncryptionError,
  WrapKeyring,
} from "@s3ec/materials";
import { type OpenBlob, readContextWrap } from "./context-wrap.js";
import { type KmsArn, parseKmsArn } from "./key-arn.js";
import { type ConnectedKms, connectKms, type KmsClientOptions } from "./kms-client.js";
import { decryptBlob } from "./kms-operations.js";
import { legacyWrap } from "./legacy-wrap.js";
import { readMessageWrap } from "./message-wrap.js";

/** Which KMS keys are accepted, and how KMS is asked. */
export interface KmsDiscoveryKeyringOptions extends KmsClientOptions {
  /** Accepts keys of these accounts only, in the partition `aws`, `aws-cn`, ... Default: any key that KMS lets us use. */
  readonly discoveryFilter?: { readonly partition: string; readonly accountIds: readonly string[] };
  /** Sent with every call, for grants that have not spread yet. Default: none. */
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
 * wherever the key is known. An upload is not resumed with it.
 *
 * Messages name their key, so that a filter speaks before KMS is asked.
 */
export class KmsDiscoveryKeyring extends WrapKeyring {
  /** Whoever wraps chooses the key. */
  readonly discoversKeys = true;
  readonly #kms: ConnectedKms;

  /**
   * @throws S3EncryptionError `invalid-argument` for an unknown option or a filter without partition and account ids,
   * `invalid-configuration` for `client` beside `region` or `clientConfig`
   */
  constructor(options: KmsDiscoveryKeyringOptions = {}) {
    assertKnownOptions(options, OPTIONS, "KmsDiscoveryKeyring");
    const { discoveryFilter, grantTokens = [] } = options;
    const accepts = acceptedBy(discoveryFilter);
    const kms = connectKms(options);
    const caller = { client: kms.client, grantTokens: [...grantTokens] };
    const open: OpenBlob = async (context, blob) => {
      const { plaintext, keyArn } = await decryptBlob(caller, context, blob);
      // KMS's word on which key it used; nothing that is stored with the object is believed.
      if (accepts(parseKmsArn(keyArn))) return plaintext;
      plaintext.fill(0);
      throw decryptionFailed();
    };
    super([
      readContextWrap(open, false),
      legacyWrap(open),
      readMessageWrap((arn, keyId) => (accepts(arn) ? { ...caller, keyId } : undefined)),
    ]);
    this.#kms = kms;
  }

  /**
   * Always refused: it only reads.
   * @throws S3EncryptionError `unsupported-operation`
   */
  override async onEncrypt(_materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    throw new S3EncryptionError(
      "unsupported-operation",
      "A discovery keyring only reads: write with a KmsKeyring, which names its key.",
    );
  }

  /** Closes the connections of the keyring's own KMS client; a client that you passed stays open. */
  destroy(): void {
    this.#kms.destroy();
  }
}

function acceptedBy(filter: KmsDiscoveryKeyringOptions["discoveryFilter"]): (arn: KmsArn | undefined) => boolean {
  if (filter === undefined) return () => true;
  assertFilter(filter);
  const { partition, accountIds } = { ...filter, accountIds: [...filter.accountIds] };
  return (arn) => arn?.partition === partition && accountIds.includes(arn.accountId);
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
