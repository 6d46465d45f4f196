import {
  type DecryptionMaterials,
  type DecryptionRequest,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type EncryptionRequest,
  ManagerAround,
  type MaterialsManager,
  type WithDataKey,
} from "@s3ec/materials";
import type { Telemetry } from "./telemetry.js";

/** A manager each of whose answers is a step that is told of; the manager itself where nobody listens. */
export function watchedManager(manager: MaterialsManager, telemetry: Telemetry): MaterialsManager {
  return telemetry.isSilent ? manager : new WatchedManager(manager, telemetry);
}

class WatchedManager extends ManagerAround {
  readonly #telemetry: Telemetry;

  constructor(manager: MaterialsManager, telemetry: Telemetry) {
    super(manager);
    this.#telemetry = telemetry;
  }

  async getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>> {
    const { suite, bucket, key } = request;
    return await this.#telemetry.step(
      "s3ec.wrap",
      { "s3ec.suite": suite.name },
      async (step) => {
        const materials = await this.manager.getEncryptionMaterials(request);
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
        const materials = await this.manager.getDecryptionMaterials(request);
        step.learn("s3ec.keyring", materials.openedBy);
        return materials;
      },
      { bucket, key },
    );
  }

  /** Of wraps that it reads: the names of others were chosen by whoever wrote the object. */
  #knownOf(encryptedDataKeys: readonly EncryptedDataKey[]): string[] {
    const known = new Set(this.wrapAlgorithms.map(({ name }) => name));
    return namesOf(encryptedDataKeys).filter((name) => known.has(name));
  }
}

function namesOf(encryptedDataKeys: readonly EncryptedDataKey[]): string[] {
  return [...new Set(encryptedDataKeys.map(({ wrapAlgorithm }) => wrapAlgorithm.name))];
}
