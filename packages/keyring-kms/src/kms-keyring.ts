import { KMS, KMS_CONTEXT } from "@s3ec/envelope";
import {
  assertKnownOptions,
  isError,
  isSameWrapAlgorithm,
  type OptionNames,
  type ReencryptedDataKey,
  type ReencryptionRequest,
  S3EncryptionError,
  type StringMap,
  WrapKeyring,
} from "@s3ec/materials";
import { contextOfCall, contextToBind, type OpenBlob, readContextWrap, writeContextWrap } from "./context-wrap.js";
import { assertKeyId, isSameKey, type KmsKeyArn, parseKeyArn, parseKmsArn } from "./key-arn.js";
import { type ConnectedKms, connectKms, type KmsClientOptions } from "./kms-client.js";
import { isOfAnotherKey } from "./kms-errors.js";
import { decryptBlob, type KmsKey, reencryptBlob } from "./kms-operations.js";
import { legacyWrap } from "./legacy-wrap.js";
import { readMessageWrap, writeMessageWrap } from "./message-wrap.js";

/** Which KMS key, and how it is asked. */
export interface KmsKeyringOptions extends KmsClientOptions {
  /** Key id, key ARN, alias (`alias/app`), alias ARN or multi-Region key (`mrk-...`). Sent with every call (S11). */
  readonly keyId: string;
  /**
   * Former keys, read with where `keyId` is another one: of an alias that was pointed to a new key, the keys that it stood for. Each
   * is sent with the call as well (S11). Default: none.
   */
  readonly formerKeyIds?: readonly string[];
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
  formerKeyIds: true,
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
  /** That one, and the former ones. */
  readonly #keys: readonly KmsKey[];

  /**
   * @throws S3EncryptionError `invalid-argument` for an unknown option or what is no `keyId`, `invalid-configuration` for
   * `client` beside `region` or `clientConfig`
   */
  constructor(options: KmsKeyringOptions) {
    assertKnownOptions(options, OPTIONS, "KmsKeyring");
    const { keyId, formerKeyIds = [], grantTokens = [], acceptUnstoredContext = false } = options;
    for (const id of [keyId, ...formerKeyIds]) assertKeyId(id);
    const kms = connectKms(options, parseKmsArn(keyId)?.region);
    const key: KmsKey = { client: kms.client, keyId, grantTokens: [...grantTokens] };
    const keys = [key, ...formerKeyIds.map((id) => ({ ...key, keyId: id }))];
    const open: OpenBlob = (context, blob) => openWithAny(keys, context, blob);
    super([
      { ...readContextWrap(open, acceptUnstoredContext), ...writeContextWrap(key) },
      legacyWrap(open),
      { ...readMessageWrap((arn) => keyFor(keys, arn)), ...writeMessageWrap(key) },
    ]);
    this.#kms = kms;
    this.#key = key;
    this.#keys = keys;
  }

  /**
   * Has KMS wrap anew, under this key, what the key of another `KmsKeyring` has wrapped (`ReEncrypt`): no data key leaves it, and
   * no right to decrypt is needed. Reads kms+context and kms, writes kms+context. Undefined for any other wrap or keyring,
   * and for a key of another Region.
   * @throws S3EncryptionError `context-mismatch` unless the caller's context is all that is stored, but for `kms_cmk_id` of a
   * kms wrap; `no-matching-key` for what none of the other keyring's keys has wrapped, its former ones among them; `decryption-failed`;
   * `key-unavailable`
   */
  async reencrypt(request: ReencryptionRequest): Promise<ReencryptedDataKey | undefined> {
    const { encryptedDataKey, from, reading, writing } = request;
    const isOurs = [KMS_CONTEXT, KMS].some((entry) => isSameWrapAlgorithm(entry, encryptedDataKey.wrapAlgorithm));
    if (!isOurs || !(#key in from)) return undefined;
    const target = this.#key;
    if ((await from.#key.client.config.region()) !== (await target.client.config.region())) return undefined;
    const description = contextToBind(writing);
    const context = contextOfCall(encryptedDataKey, reading);
    const { blob, keyArn, sourceArn } = await withAny(from.#keys, (key) =>
      reencryptBlob(encryptedDataKey.ciphertext, { key, context }, { key: target, context: description }),
    );
    const wrapped = { wrapAlgorithm: KMS_CONTEXT, ciphertext: blob, description, wrappingKey: keyArn };
    return { encryptedDataKey: wrapped, isSameKey: keyArn === sourceArn };
  }

  /** Closes the connections of the keyring's own KMS client; a client that you passed stays open. */
  destroy(): void {
    this.#kms.destroy();
  }
}

async function openWithAny(keys: readonly KmsKey[], context: StringMap, blob: Uint8Array): Promise<Uint8Array> {
  return (await withAny(keys, (key) => decryptBlob(key, context, blob))).plaintext;
}

/** Names each key to KMS, which says whether it is the one (S11). */
async function withAny<Result>(keys: readonly KmsKey[], ask: (key: KmsKey) => Promise<Result>): Promise<Result> {
  let failure: unknown;
  for (const key of keys) {
    try {
      return await ask(key);
    } catch (error) {
      // That a key cannot be asked says more than that another one is not it.
      if (failure === undefined || isOfAnotherKey(failure)) failure = error;
      if (!isOfAnotherKey(error) && key === keys[0]) break;
    }
  }
  throw isOfAnotherKey(failure) ? anotherKey(failure) : failure;
}

function anotherKey(error: unknown): S3EncryptionError {
  return new S3EncryptionError(
    "no-matching-key",
    "KMS says that the data key is wrapped with another KMS key than keyId. If keyId is an alias, it may have been pointed to another key since the object was written: pass the key's former ids, too (formerKeyIds).",
    { cause: isError(error) ? error.cause : error },
  );
}

/** The key that has this ARN, or else one that is named by an alias. */
function keyFor(keys: readonly KmsKey[], arn: KmsKeyArn): KmsKey | undefined {
  const fitting = keys.filter(({ keyId }) => mayBe(keyId, arn));
  return fitting.find(({ keyId }) => !keyId.includes("alias/")) ?? fitting[0];
}

/** What an alias stands for, KMS alone knows. */
function mayBe(keyId: string, arn: KmsKeyArn): boolean {
  if (keyId.includes("alias/")) return true;
  const own = parseKeyArn(keyId);
  return own === undefined ? arn.id === keyId : isSameKey(arn, own);
}
