import type { KeyObject } from "node:crypto";
import type {
  DecryptionMaterials,
  DecryptionRequest,
  EncryptedDataKey,
  EncryptionMaterials,
  EncryptionRequest,
  Keyring,
  MaterialsManager,
  WithDataKey,
  WrapAlgorithm,
} from "@s3ec/materials";
import type { Telemetry } from "./telemetry.js";

/** A manager each of whose answers is a step that is told of; the manager itself where nobody listens. */
export function watchedManager(manager: MaterialsManager, telemetry: Telemetry): MaterialsManager {
  return telemetry.isSilent ? manager : new WatchedManager(manager, telemetry);
}

class WatchedManager implements MaterialsManager {
  readonly #manager: MaterialsManager;
  readonly #telemetry: Telemetry;

  constructor(manager: MaterialsManager, telemetry: Telemetry) {
    this.#manager = manager;
    this.#telemetry = telemetry;
  }

  get wrapAlgorithms(): readonly WrapAlgorithm[] {
    return this.#manager.wrapAlgorithms;
  }

  get instructionFileSuffixes(): readonly string[] {
    return this.#manager.instructionFileSuffixes ?? [];
  }

  cachePartition(request: EncryptionRequest | DecryptionRequest): string | undefined {
    return this.#manager.cachePartition?.(request);
  }

  keyringFor(request: EncryptionRequest | DecryptionRequest): Keyring | undefined {
    return this.#manager.keyringFor?.(request);
  }

  async getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>> {
    const { suite, bucket, key } = request;
    return await this.#telemetry.step(
      "s3ec.wrap",
      { "s3ec.suite": suite.name },
      async (step) => {
        const materials = await this.#manager.getEncryptionMaterials(request);
        step.learn("s3ec.wrap_algorithms", namesOf(materials.encryptedDataKeys));
        return materials;
      },
      { bucket, key },
    );
  }

  async getDecryptionMaterials(request: DecryptionRequest): Promise<WithDataKey<DecryptionMaterials>> {
    const { suite, encryptedDataKeys, bucket, key } = request;
    return await this.#telemetry.step(
      "s3ec.unwrap",
      { "s3ec.suite": suite.name, "s3ec.wrap_algorithms": this.#knownOf(encryptedDataKeys) },
      async (step) => {
        const materials = await this.#manager.getDecryptionMaterials(request);
        step.learn("s3ec.keyring", materials.openedBy);
        return materials;
      },
      { bucket, key },
    );
  }

  forget(dataKey: KeyObject): void {
    this.#manager.forget?.(dataKey);
  }

  /** Of wraps that it reads: the names of others were chosen by whoever wrote the object. */
  #knownOf(encryptedDataKeys: readonly EncryptedDataKey[]): string[] {
    const known = new Set(this.#manager.wrapAlgorithms.map(({ name }) => name));
    return namesOf(encryptedDataKeys).filter((name) => known.has(name));
  }
}

function namesOf(encryptedDataKeys: readonly EncryptedDataKey[]): string[] {
  return [...new Set(encryptedDataKeys.map(({ wrapAlgorithm }) => wrapAlgorithm.name))];
}
