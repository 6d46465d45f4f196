import { assertKnownOptions, type OptionNames, WrapKeyring } from "@s3ec/materials";
import { type OpenBlob, readContextWrap, writeContextWrap } from "./context-wrap.js";
import { assertKeyId, isSameKey, type KmsKeyArn, parseKeyArn, parseKmsArn } from "./key-arn.js";
import { type ConnectedKms, connectKms, type KmsClientOptions } from "./kms-client.js";
import { decryptBlob, type KmsKey } from "./kms-operations.js";
import { legacyWrap } from "./legacy-wrap.js";
import { readMessageWrap, writeMessageWrap } from "./message-wrap.js";

/** Which KMS key, and how it is asked. */
export interface KmsKeyringOptions extends KmsClientOptions {
  /** Key id, key ARN, alias (`alias/app`), alias ARN or multi-Region key (`mrk-...`). Sent with every call (S11). */
  readonly keyId: string;
  /** Sent with every call, for grants that have not spread yet. Default: none. */
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
 * When KMS cannot be asked or refuses, writing and reading fail with `key-unavailable`, which names the permission or the
 * region that is missing.
 */
export class KmsKeyring extends WrapKeyring {
  readonly #kms: ConnectedKms;

  /**
   * @throws S3EncryptionError `invalid-argument` for an unknown option or what is no `keyId`, `invalid-configuration` for
   * `client` beside `region` or `clientConfig`
   */
  constructor(options: KmsKeyringOptions) {
    assertKnownOptions(options, OPTIONS, "KmsKeyring");
    const { keyId, grantTokens = [], acceptUnstoredContext = false } = options;
    assertKeyId(keyId);
    const kms = connectKms(options, parseKmsArn(keyId)?.region);
    const key: KmsKey = { client: kms.client, keyId, grantTokens: [...grantTokens] };
    const open: OpenBlob = async (context, blob) => (await decryptBlob(key, context, blob)).plaintext;
    super([
      { ...readContextWrap(open, acceptUnstoredContext), ...writeContextWrap(key) },
      legacyWrap(open),
      { ...readMessageWrap((arn) => (mayBe(keyId, arn) ? key : undefined)), ...writeMessageWrap(key) },
    ]);
    this.#kms = kms;
  }

  /** Closes the connections of the keyring's own KMS client; a client that you passed stays open. */
  destroy(): void {
    this.#kms.destroy();
  }
}

/** What an alias stands for, KMS alone knows. */
function mayBe(keyId: string, arn: KmsKeyArn): boolean {
  if (keyId.includes("alias/")) return true;
  const own = parseKeyArn(keyId);
  return own === undefined ? arn.id === keyId : isSameKey(arn, own);
}
