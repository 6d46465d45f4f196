import { KMS, KMS_CONTEXT } from "@s3ec/envelope";
import {
  assertKnownOptions,
  isSameWrapAlgorithm,
  type OptionNames,
  type ReencryptedDataKey,
  type ReencryptionRequest,
  WrapKeyring,
} from "@s3ec/materials";
import { contextOfCall, contextToBind, type OpenBlob, readContextWrap, writeContextWrap } from "./context-wrap.js";
import { assertKeyId, isSameKey, type KmsKeyArn, parseKeyArn, parseKmsArn } from "./key-arn.js";
import { type ConnectedKms, connectKms, type KmsClientOptions } from "./kms-client.js";
import { decryptBlob, type KmsKey, reencryptBlob } from "./kms-operations.js";
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
  readonly #key: KmsKey;

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
    this.#key = key;
  }

  /**
   * Has KMS wrap anew, under this key, what the key of another `KmsKeyring` has wrapped (`ReEncrypt`): no data key leaves it, and
   * no right to decrypt is needed. Reads kms+context and kms, writes kms+context. Undefined for any other wrap or keyring,
   * and for a key of another Region.
   * @throws S3EncryptionError `context-mismatch` unless the caller's context is all that is stored, but for `kms_cmk_id` of a
   * kms wrap; `decryption-failed` for what the other key did not wrap; `key-unavailable`
   */
  async reencrypt(request: ReencryptionRequest): Promise<ReencryptedDataKey | undefined> {
    const { encryptedDataKey, from, reading, writing } = request;
    const isOurs = [KMS_CONTEXT, KMS].some((entry) => isSameWrapAlgorithm(entry, encryptedDataKey.wrapAlgorithm));
    if (!isOurs || !(#key in from)) return undefined;
    const [source, target] = [from.#key, this.#key];
    if ((await source.client.config.region()) !== (await target.client.config.region())) return undefined;
    const description = contextToBind(writing);
    const { blob, keyArn, sourceArn } = await reencryptBlob(
      encryptedDataKey.ciphertext,
      { key: source, context: contextOfCall(encryptedDataKey, reading) },
      { key: target, context: description },
    );
    const named = keyArn === undefined ? {} : { wrappingKey: keyArn };
    const wrapped = { wrapAlgorithm: KMS_CONTEXT, ciphertext: blob, description, ...named };
    return { encryptedDataKey: wrapped, isSameKey: keyArn !== undefined && keyArn === sourceArn };
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
