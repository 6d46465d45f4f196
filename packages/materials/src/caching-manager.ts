import type { KeyObject } from "node:crypto";
import {
  assertKnownOptions,
  type EncryptedDataKey,
  type OptionNames,
  S3EncryptionError,
  type StringMap,
} from "@s3ec/envelope";
import { ManagerAround } from "./manager-around.js";
import type { DecryptionMaterials, EncryptionMaterials, WithDataKey } from "./materials.js";
import { MaterialsCache } from "./materials-cache.js";
import type { DecryptionRequest, EncryptionRequest, MaterialsManager } from "./materials-manager.js";

/** What is cached, for how long, and how much is written under one data key. */
export interface CachingMaterialsManagerOptions {
  /** Where materials come from that are not cached: `new DefaultMaterialsManager(keyring)`, for example. */
  readonly manager: MaterialsManager;
  /** Milliseconds that a data key is used for, counted from when it was asked for. */
  readonly maxAgeMs: number;
  /** Objects written under one data key. Default 1,000. */
  readonly maxMessages?: number;
  /**
   * Plaintext bytes written under one data key. Default: no bound. With one, a body whose length is not known gets a
   * data key of its own.
   */
  readonly maxBytes?: number;
  /** Data keys held for writing, and as many for reading; the least recently used one goes first. Default 100. */
  readonly maxEntries?: number;
  /** A clock in milliseconds that never goes back. Default: the process's own. */
  readonly now?: () => number;
}

const OPTIONS: OptionNames<CachingMaterialsManagerOptions> = {
  manager: true,
  maxAgeMs: true,
  maxMessages: true,
  maxBytes: true,
  maxEntries: true,
  now: true,
};

/**
 * Uses one data key for several objects, and remembers the data keys of objects that were read, so that a key store is
 * asked less often. Only for the committing suite, whose content key is derived anew for each object from a random
 * message id; requests for other suites pass through.
 *
 * A cached answer is found again by everything that it depends on: suite, commitment policy, the whole encryption
 * context, the material description, the partition that the manager below names (without one, bucket and key) and, for
 * reading, the encrypted data keys themselves. It never leaves this instance,
 * so it crosses no keyring either. Callers that ask for the same at the same time share one request.
 */
export class CachingMaterialsManager extends ManagerAround implements Disposable {
  readonly #maxBytes: number;
  readonly #encryption: MaterialsCache<WithDataKey<EncryptionMaterials>>;
  readonly #decryption: MaterialsCache<WithDataKey<DecryptionMaterials>>;
  #isDisposed = false;

  /** @throws S3EncryptionError `invalid-argument` for an unknown option, or a bound that is not a number above zero */
  constructor(options: CachingMaterialsManagerOptions) {
    assertKnownOptions(options, OPTIONS, "CachingMaterialsManager");
    super(options.manager);
    const { maxAgeMs, maxMessages = 1000, maxBytes = Number.MAX_SAFE_INTEGER, maxEntries = 100 } = options;
    const bounds = { maxAgeMs, maxMessages, maxBytes, maxEntries };
    for (const [name, value] of Object.entries(bounds)) {
      if (Number.isFinite(value) && value > 0) continue;
      throw new S3EncryptionError("invalid-argument", `${name} must be a number above zero.`);
    }
    const now = options.now ?? (() => performance.now());
    this.#maxBytes = maxBytes;
    this.#encryption = new MaterialsCache(bounds, now);
    // An object that was read once uses its data key no more by being read again: only age and number count.
    this.#decryption = new MaterialsCache({ ...bounds, maxMessages: Number.MAX_SAFE_INTEGER }, now);
  }

  /**
   * A cached data key with its wraps, or one of the manager below.
   * @throws S3EncryptionError `invalid-configuration` once disposed, and what the manager below throws
   */
  async getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>> {
    this.#assertUsable();
    const { contentLength, ...shareable } = request;
    const bytes = contentLength ?? (this.#maxBytes === Number.MAX_SAFE_INTEGER ? 0 : Number.POSITIVE_INFINITY);
    // The data key of an object that stands is nobody else's.
    const isShareable = request.suite.committing && bytes <= this.#maxBytes && request.dataKey === undefined;
    if (!isShareable) return await this.manager.getEncryptionMaterials(request);
    return await this.#encryption.take(cacheKey(request, [], this.cachePartition(request)), bytes, async () =>
      Object.freeze(await this.manager.getEncryptionMaterials(shareable)),
    );
  }

  /**
   * The data key of one object, cached or asked of the manager below.
   * @throws S3EncryptionError `invalid-configuration` once disposed, and what the manager below throws
   */
  async getDecryptionMaterials(request: DecryptionRequest): Promise<WithDataKey<DecryptionMaterials>> {
    this.#assertUsable();
    if (!request.suite.committing) return await this.manager.getDecryptionMaterials(request);
    return await this.#decryption.take(
      cacheKey(request, request.encryptedDataKeys, this.cachePartition(request)),
      0,
      async () => Object.freeze(await this.manager.getDecryptionMaterials(request)),
    );
  }

  /** Forgets this data key, and has the manager below forget it. */
  override forget(dataKey: KeyObject): void {
    for (const cache of [this.#encryption, this.#decryption]) {
      cache.forget((materials) => materials.dataKey.equals(dataKey));
    }
    super.forget(dataKey);
  }

  /** Forgets every data key: for when a wrapping key was revoked, or nothing will be read for a while. */
  clear(): void {
    this.#encryption.clear();
    this.#decryption.clear();
  }

  /** Forgets every data key and refuses to be used from then on. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.clear();
  }

  #assertUsable(): void {
    if (!this.#isDisposed) return;
    throw new S3EncryptionError(
      "invalid-configuration",
      "This caching manager was disposed; make a new one for further objects.",
    );
  }
}

/** Unambiguous text of everything that an answer depends on; what is missing becomes null in it. Order counts in maps, since it is stored (H12). */
function cacheKey(
  request: EncryptionRequest | DecryptionRequest,
  encryptedDataKeys: readonly EncryptedDataKey[],
  partition: string | undefined,
): string {
  const { suite, algorithmBinding, commitmentPolicy, encryptionContext, materialDescription, bucket, key } = request;
  return JSON.stringify([
    partition === undefined ? [bucket, key] : [partition],
    suite.name,
    algorithmBinding,
    commitmentPolicy,
    entriesOf(encryptionContext),
    materialDescription === undefined ? null : entriesOf(materialDescription),
    encryptedDataKeys.map(({ wrapAlgorithm, ciphertext, description, providerInfo, instructionFileSuffix }) => [
      wrapAlgorithm.name,
      providerInfo === undefined ? null : Buffer.from(providerInfo).toString("base64"),
      Buffer.from(ciphertext).toString("base64"),
      entriesOf(description),
      instructionFileSuffix,
    ]),
  ]);
}

function entriesOf(map: StringMap): [string, string][] {
  return Object.entries(map);
}
