import type { KeyObject } from "node:crypto";
import type { WrapAlgorithm } from "@s3ec/envelope";
import type { Keyring } from "./keyring.js";
import type { DecryptionMaterials, EncryptionMaterials, WithDataKey } from "./materials.js";
import type { DecryptionRequest, EncryptionRequest, MaterialsManager } from "./materials-manager.js";

/**
 * A manager that stands around another, and says of it what it does not decide itself: whatever is not handed on is lost to
 * gates, caches, copies and re-wraps above.
 */
export abstract class ManagerAround implements MaterialsManager {
  readonly #manager: MaterialsManager;

  /** @param manager the one below */
  constructor(manager: MaterialsManager) {
    this.#manager = manager;
  }

  /** The manager below. */
  protected get manager(): MaterialsManager {
    return this.#manager;
  }

  /** Those of the manager below. */
  get wrapAlgorithms(): readonly WrapAlgorithm[] {
    return this.#manager.wrapAlgorithms;
  }

  /** Those of the manager below. */
  get instructionFileSuffixes(): readonly string[] {
    return this.#manager.instructionFileSuffixes ?? [];
  }

  /** That of the manager below. */
  cachePartition(request: EncryptionRequest | DecryptionRequest): string | undefined {
    return this.#manager.cachePartition?.(request);
  }

  /**
   * That of the manager below.
   * @throws S3EncryptionError `invalid-argument` where the manager below does
   */
  keyringFor(request: EncryptionRequest | DecryptionRequest): Keyring | undefined {
    return this.#manager.keyringFor?.(request);
  }

  /** See `MaterialsManager`. */
  abstract getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>>;

  /** See `MaterialsManager`. */
  abstract getDecryptionMaterials(request: DecryptionRequest): Promise<WithDataKey<DecryptionMaterials>>;

  /** Has the manager below forget it. */
  forget(dataKey: KeyObject): void {
    this.#manager.forget?.(dataKey);
  }
}
