import { AES_GCM, COMMITTING_GCM, KMS, KMS_CONTEXT } from "@s3ec/envelope";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import {
  createDataKey,
  type DecryptionRequest,
  type EncryptedDataKey,
  type EncryptionRequest,
  type MaterialsManager,
  type S3EncryptionErrorCode,
  stringMap,
} from "../dist/index.js";
import { RequiredContextManager } from "../dist/required-context-manager.js";

/** Says yes to everything, so that what is refused was refused by the manager around it. */
class Obliging implements MaterialsManager {
  readonly wrapAlgorithms = [KMS_CONTEXT];
  asked = 0;

  async getEncryptionMaterials(request: EncryptionRequest): ReturnType<MaterialsManager["getEncryptionMaterials"]> {
    this.asked += 1;
    return { ...request, encryptedDataKeys: [], dataKey: createDataKey(request.suite) };
  }

  async getDecryptionMaterials(request: DecryptionRequest): ReturnType<MaterialsManager["getDecryptionMaterials"]> {
    this.asked += 1;
    return { ...request, dataKey: createDataKey(request.suite) };
  }
}

describe("RequiredContextManager", () => {
  let inner: Obliging;
  let manager: RequiredContextManager;

  beforeEach(() => {
    inner = new Obliging();
    manager = new RequiredContextManager({ manager: inner, requiredContextKeys: ["tenant", "purpose"] });
  });

  const request = (encryptionContext: Record<string, string>): EncryptionRequest => ({
    suite: COMMITTING_GCM,
    algorithmBinding: "115",
    commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    encryptionContext: stringMap(Object.entries(encryptionContext)),
  });
  const wrap = (description: Record<string, string>, wrapAlgorithm = KMS_CONTEXT): EncryptedDataKey => ({
    wrapAlgorithm,
    ciphertext: new Uint8Array(1),
    description: stringMap(Object.entries(description)),
  });
  const full = { tenant: "a", purpose: "b", more: "c" };

  async function refused(promise: Promise<unknown>, code: S3EncryptionErrorCode): Promise<string> {
    const { message } = await refusal(code, promise);
    expect(inner.asked).to.equal(0);
    return message;
  }

  it("lets through what has every required entry, and more", async () => {
    await manager.getEncryptionMaterials(request(full));
    await manager.getDecryptionMaterials({ ...request(full), encryptedDataKeys: [wrap(full)] });
    expect(inner.asked).to.equal(2);
  });

  it("names the entries that are missing, on writing and on reading", async () => {
    const encryptedDataKeys = [wrap(full)];
    for (const context of [{}, { purpose: "b" }, { Tenant: "a", purpose: "b" }]) {
      const message = await refused(manager.getEncryptionMaterials(request(context)), "invalid-argument");
      expect(message).to.contain('"tenant"');
      await refused(manager.getDecryptionMaterials({ ...request(context), encryptedDataKeys }), "invalid-argument");
    }
  });

  it("takes no name from the prototype for an entry", async () => {
    const constructors = new RequiredContextManager({ manager: inner, requiredContextKeys: ["constructor"] });
    const plain = { ...request({}), encryptionContext: {} };
    await refused(constructors.getEncryptionMaterials(plain), "invalid-argument");
  });

  const stored: Record<string, EncryptedDataKey[]> = {
    "another value": [wrap({ ...full, tenant: "b" })],
    "no such entry": [wrap({ purpose: "b" })],
    "one wrapped key without it": [wrap(full), wrap({})],
    "a legacy wrap without it": [wrap({ kms_cmk_id: "key" }, KMS)],
    "a raw key, whose description is not bound": [wrap(full, AES_GCM)],
  };
  for (const [what, encryptedDataKeys] of Object.entries(stored)) {
    it(`refuses an object stored with ${what}`, async () => {
      await refused(manager.getDecryptionMaterials({ ...request(full), encryptedDataKeys }), "context-mismatch");
    });
  }

  it("needs a name", () => {
    // As plain JavaScript may pass them.
    for (const requiredContextKeys of [[], undefined, "tenant", [1]]) {
      const options = { manager: inner, requiredContextKeys };
      expect(() => Reflect.construct(RequiredContextManager, [options]))
        .to.throw()
        .with.property("code", "invalid-argument");
    }
  });

  it("declares what its manager declares", () => {
    expect(manager.wrapAlgorithms).to.equal(inner.wrapAlgorithms);
    expect(manager.instructionFileSuffixes).to.deep.equal([]);
  });
});
