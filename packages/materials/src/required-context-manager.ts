import { assertKnownOptions, S3EncryptionError, type StringMap } from "@s3ec/envelope";
import { contextMismatch } from "./default-manager.js";
import type { Keyring } from "./keyring.js";
import { ManagerAround } from "./manager-around.js";
import type { DecryptionMaterials, EncryptionMaterials, WithDataKey } from "./materials.js";
import type { DecryptionRequest, EncryptionRequest, MaterialsManager } from "./materials-manager.js";

/** Which entries every encryption context must have; neither option has a default. */
export interface RequiredContextManagerOptions {
  /** What gives the materials once the context was checked. */
  readonly manager: MaterialsManager;
  /** Names that every encryption context must have, on writing and on reading. */
  readonly requiredContextKeys: readonly string[];
}

/**
 * Refuses to write without the named context entries, and to read unless the caller supplies each with the value stored,
 * so that no reader can forget to check: not even through the legacy `kms` wrap, which otherwise opens without a context,
 * nor through a raw key, which binds none.
 */
export class RequiredContextManager extends ManagerAround {
  readonly #required: readonly string[];

  /** @throws S3EncryptionError `invalid-argument` for an unknown option, and unless at least one name is given */
  constructor(options: RequiredContextManagerOptions) {
    assertKnownOptions(options, { manager: true, requiredContextKeys: true }, "RequiredContextManager");
    super(options.manager);
    const { requiredContextKeys } = options;
    const isList = Array.isArray(requiredContextKeys) && requiredContextKeys.length > 0;
    if (!isList || requiredContextKeys.some((name) => typeof name !== "string")) {
      throw new S3EncryptionError(
        "invalid-argument",
        "Name at least one entry in requiredContextKeys, an array of texts.",
      );
    }
    this.#required = [...requiredContextKeys];
  }

  /**
   * That of the manager below, which binds the caller's context: with every required entry in it.
   * @throws S3EncryptionError `invalid-argument` where a required entry is missing
   */
  override keyringFor(request: EncryptionRequest | DecryptionRequest): Keyring | undefined {
    this.#assertSupplied(request.encryptionContext);
    return super.keyringFor(request);
  }

  /**
   * Materials of the manager below.
   * @throws S3EncryptionError `invalid-argument` where a required entry is missing, and what the manager below throws
   */
  async getEncryptionMaterials(request: EncryptionRequest): Promise<WithDataKey<EncryptionMaterials>> {
    this.#assertSupplied(request.encryptionContext);
    return await this.manager.getEncryptionMaterials(request);
  }

  /**
   * Materials of the manager below.
   * @throws S3EncryptionError `invalid-argument` where the caller supplies no value of a required entry, `context-mismatch`
   * where the object stores another one or none, and what the manager below throws
   */
  async getDecryptionMaterials(request: DecryptionRequest): Promise<WithDataKey<DecryptionMaterials>> {
    const { suite, encryptionContext, encryptedDataKeys } = request;
    this.#assertSupplied(encryptionContext);
    if (suite.authenticatesContext) return await this.manager.getDecryptionMaterials(request);
    const isBound = encryptedDataKeys.every(
      ({ wrapAlgorithm, description }) =>
        wrapAlgorithm.describedBy === "encryption-context" &&
        this.#required.every(
          (name) => Object.hasOwn(description, name) && description[name] === encryptionContext[name],
        ),
    );
    if (!isBound) throw contextMismatch();
    return await this.manager.getDecryptionMaterials(request);
  }

  #assertSupplied(encryptionContext: StringMap): void {
    const missing = this.#required.filter((name) => !Object.hasOwn(encryptionContext, name));
    if (missing.length === 0) return;
    const names = missing.map((name) => `"${name}"`).join(", ");
    throw new S3EncryptionError("invalid-argument", `The encryption context must have the required entries: ${names}.`);
  }
}
