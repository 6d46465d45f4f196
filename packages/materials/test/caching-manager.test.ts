import { randomBytes } from "node:crypto";
import { KMSClient } from "@aws-sdk/client-kms";
import { startDevServer } from "@s3ec/dev-server";
import { COMMITTING_GCM, createContentKey, GCM, KMS_CONTEXT } from "@s3ec/envelope";
import { KmsKeyring } from "@s3ec/keyring-kms";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import { expect } from "chai";
import { CachingMaterialsManager } from "../dist/caching-manager.js";
import {
  type DecryptionRequest,
  DefaultMaterialsManager,
  type EncryptedDataKey,
  type EncryptionRequest,
  type MaterialsManager,
  type RequestedObject,
  RequiredContextManager,
  S3EncryptionError,
  stringMap,
} from "../dist/index.js";

const NOTHING = stringMap([]);
const TO_ENCRYPT: EncryptionRequest = {
  suite: COMMITTING_GCM,
  algorithmBinding: "115",
  commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
  encryptionContext: NOTHING,
};
const WRAP: EncryptedDataKey = { wrapAlgorithm: KMS_CONTEXT, ciphertext: Buffer.from("blob"), description: NOTHING };

/** Counts what gets through to a real keyring; can be told to fail or to wait. */
class Counting implements MaterialsManager {
  readonly wrapAlgorithms = [KMS_CONTEXT];
  readonly instructionFileSuffixes = [".escrow"];
  readonly encryptions: EncryptionRequest[] = [];
  readonly decryptions: DecryptionRequest[] = [];
  failure: Error | undefined;
  gate: Promise<void> = Promise.resolve();
  readonly #inner = new DefaultMaterialsManager(new RawAesKeyring({ wrappingKey: randomBytes(32) }));

  async getEncryptionMaterials(request: EncryptionRequest): ReturnType<MaterialsManager["getEncryptionMaterials"]> {
    this.encryptions.push(request);
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    return await this.#inner.getEncryptionMaterials({ ...request, encryptionContext: NOTHING });
  }

  async getDecryptionMaterials(request: DecryptionRequest): ReturnType<MaterialsManager["getDecryptionMaterials"]> {
    this.decryptions.push(request);
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const { dataKey } = await this.#inner.getEncryptionMaterials({ ...TO_ENCRYPT, suite: request.suite });
    return { ...request, dataKey };
  }
}

describe("CachingMaterialsManager", () => {
  let inner: Counting;
  let time: number;

  beforeEach(() => {
    inner = new Counting();
    time = 0;
  });

  function caching(
    bounds: Partial<ConstructorParameters<typeof CachingMaterialsManager>[0]> = {},
  ): CachingMaterialsManager {
    return new CachingMaterialsManager({ manager: inner, maxAgeMs: 1000, now: () => time, ...bounds });
  }

  it("uses one data key for several objects, each under a content key of its own", async () => {
    const manager = caching();
    const first = await manager.getEncryptionMaterials(TO_ENCRYPT);
    const second = await manager.getEncryptionMaterials(TO_ENCRYPT);
    expect(second).to.equal(first);
    expect(Object.isFrozen(first)).to.equal(true);
    expect(inner.encryptions).to.have.length(1);
    const contents = [first, second].map(({ suite, dataKey }) => createContentKey(suite, dataKey).content.key);
    expect(contents[0]?.export().equals(contents[1]?.export() ?? Buffer.alloc(0))).to.equal(false);
  });

  it("gives no other object a data key that it was told to forget, and keeps the others (G11)", async () => {
    let forgotten = 0;
    const manager = new CachingMaterialsManager({
      manager: new RequiredContextManager({
        manager: Object.assign(inner, {
          forget: () => {
            forgotten += 1;
          },
        }),
        requiredContextKeys: ["a"],
      }),
      maxAgeMs: 1000,
    });
    const encryptionContext = stringMap([["a", "b"]]);
    const requests = ["x", "y"].map((key) => ({ ...TO_ENCRYPT, encryptionContext, key }));
    const toDecrypt = { ...requests[0], encryptedDataKeys: [{ ...WRAP, description: encryptionContext }] };
    const ask = async () => [
      ...(await Promise.all(requests.map((request) => manager.getEncryptionMaterials(request)))),
      await manager.getDecryptionMaterials(toDecrypt as DecryptionRequest),
    ];
    const [first, second, read] = await ask();
    for (const materials of [first, read]) if (materials !== undefined) manager.forget(materials.dataKey);
    const [again, same, readAgain] = await ask();
    expect(again?.dataKey.equals(first?.dataKey ?? Object.create(null))).to.equal(false);
    expect(readAgain).not.to.equal(read);
    expect(same).to.equal(second);
    expect(forgotten).to.equal(2);
  });

  it("shares nothing of an object whose data key is there already", async () => {
    const manager = caching();
    const { dataKey } = await manager.getEncryptionMaterials(TO_ENCRYPT);
    for (let call = 0; call < 2; call++) await manager.getEncryptionMaterials({ ...TO_ENCRYPT, dataKey });
    expect(inner.encryptions).to.have.length(3);
  });

  it("remembers the data key of an object that was read", async () => {
    const manager = caching({ maxMessages: 1 });
    const request = { ...TO_ENCRYPT, encryptedDataKeys: [WRAP] };
    const first = await manager.getDecryptionMaterials(request);
    expect(await manager.getDecryptionMaterials({ ...request, encryptedDataKeys: [{ ...WRAP }] })).to.equal(first);
    expect(await manager.getDecryptionMaterials(request)).to.equal(first);
    expect(inner.decryptions).to.have.length(1);
  });

  it("passes other suites through, whose content key is the data key itself", async () => {
    const manager = caching();
    const request = { ...TO_ENCRYPT, suite: GCM, algorithmBinding: GCM.storedName };
    await manager.getEncryptionMaterials(request);
    await manager.getEncryptionMaterials(request);
    await manager.getDecryptionMaterials({ ...request, encryptedDataKeys: [WRAP] });
    await manager.getDecryptionMaterials({ ...request, encryptedDataKeys: [WRAP] });
    expect([inner.encryptions.length, inner.decryptions.length]).to.deep.equal([2, 2]);
  });

  it("does not hand one object's length on to where the shared data key comes from", async () => {
    await caching().getEncryptionMaterials({ ...TO_ENCRYPT, contentLength: 5 });
    expect(inner.encryptions[0]).to.not.have.property("contentLength");
  });

  describe("never crosses", () => {
    const others: Record<string, Partial<EncryptionRequest>> = {
      "a commitment policy": { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" },
      "a binding": { algorithmBinding: "116" },
      "a context": { encryptionContext: stringMap([["a", "1"]]) },
      "the boundary of name and value": { encryptionContext: stringMap([["a1", ""]]) },
      "the order of a context, which is stored": {
        encryptionContext: stringMap([
          ["b", "2"],
          ["a", "1"],
        ]),
      },
      "a material description": { materialDescription: stringMap([["a", "1"]]) },
      "an empty material description": { materialDescription: NOTHING },
    };
    const base = {
      ...TO_ENCRYPT,
      encryptionContext: stringMap([
        ["a", "1"],
        ["b", "2"],
      ]),
    };
    for (const [what, difference] of Object.entries(others)) {
      it(what, async () => {
        const manager = caching();
        for (const request of [TO_ENCRYPT, base, { ...TO_ENCRYPT, ...difference }]) {
          await manager.getEncryptionMaterials(request);
          await manager.getDecryptionMaterials({ ...request, encryptedDataKeys: [WRAP] });
        }
        expect([inner.encryptions.length, inner.decryptions.length]).to.deep.equal([3, 3]);
      });
    }

    it("a bucket or a key, where the manager below names no partition", async () => {
      const manager = caching();
      const names = [{}, { bucket: "one" }, { bucket: "one", key: "a" }, { bucket: "two", key: "a" }, { key: "a" }];
      for (const name of [...names, ...names]) {
        await manager.getEncryptionMaterials({ ...TO_ENCRYPT, ...name });
        await manager.getDecryptionMaterials({ ...TO_ENCRYPT, ...name, encryptedDataKeys: [WRAP] });
      }
      expect([inner.encryptions.length, inner.decryptions.length]).to.deep.equal([names.length, names.length]);
    });

    it("a partition that the manager below names, and shares everything within it", async () => {
      const tenantOf = ({ key = "" }: RequestedObject): string => key.split("/")[0] ?? "";
      const manager = caching({ manager: Object.assign(inner, { cachePartition: tenantOf }) });
      for (const key of ["a/1", "b/1", "a/2", "b/2"]) {
        await manager.getEncryptionMaterials({ ...TO_ENCRYPT, bucket: "one", key });
        await manager.getDecryptionMaterials({ ...TO_ENCRYPT, bucket: "one", key, encryptedDataKeys: [WRAP] });
      }
      expect(inner.encryptions.map(({ key }) => key)).to.deep.equal(["a/1", "b/1"]);
      expect(inner.decryptions.map(({ key }) => key)).to.deep.equal(["a/1", "b/1"]);
    });

    it("nothing by bucket and key over the default manager, itself or behind a required context", async () => {
      const keyring = new RawAesKeyring({ wrappingKey: randomBytes(32) });
      const plain = new DefaultMaterialsManager(keyring);
      const required = new RequiredContextManager({ manager: plain, requiredContextKeys: ["tenant"] });
      expect(required.cachePartition(TO_ENCRYPT)).to.equal(plain.cachePartition());
      const manager = new CachingMaterialsManager({ manager: caching({ manager: plain }), maxAgeMs: 1000 });
      const first = await manager.getEncryptionMaterials({ ...TO_ENCRYPT, bucket: "one", key: "a" });
      expect(await manager.getEncryptionMaterials({ ...TO_ENCRYPT, bucket: "two", key: "b" })).to.equal(first);
      const unnamed = new RequiredContextManager({ manager: inner, requiredContextKeys: ["tenant"] });
      expect(unnamed.cachePartition(TO_ENCRYPT)).to.equal(undefined);
    });

    const otherWraps: Record<string, EncryptedDataKey[]> = {
      "a wrapped key": [{ ...WRAP, ciphertext: Buffer.from("bloc") }],
      "a stored description": [{ ...WRAP, description: stringMap([["a", "1"]]) }],
      "a provider's information": [{ ...WRAP, providerInfo: Buffer.from("info") }],
      "a kind of wrap": [{ ...WRAP, wrapAlgorithm: { ...KMS_CONTEXT, name: "kms" } }],
      "a number of wrapped keys": [WRAP, WRAP],
      "the place of a wrapped key": [{ ...WRAP, instructionFileSuffix: ".escrow" }],
    };
    for (const [what, encryptedDataKeys] of Object.entries(otherWraps)) {
      it(what, async () => {
        const manager = caching();
        await manager.getDecryptionMaterials({ ...TO_ENCRYPT, encryptedDataKeys: [WRAP] });
        await manager.getDecryptionMaterials({ ...TO_ENCRYPT, encryptedDataKeys });
        expect(inner.decryptions).to.have.length(2);
      });
    }

    it("writing and reading, or keyrings", async () => {
      const [first, second] = [caching(), caching()];
      await first.getEncryptionMaterials(TO_ENCRYPT);
      await first.getDecryptionMaterials({ ...TO_ENCRYPT, encryptedDataKeys: [] });
      await second.getEncryptionMaterials(TO_ENCRYPT);
      expect([inner.encryptions.length, inner.decryptions.length]).to.deep.equal([2, 1]);
    });
  });

  describe("bounds", () => {
    it("the age, counted from when the data key was asked for", async () => {
      const manager = caching();
      let open = (): void => {};
      inner.gate = new Promise((resolve) => {
        open = resolve;
      });
      const first = manager.getEncryptionMaterials(TO_ENCRYPT);
      time = 999;
      open();
      await first;
      await manager.getEncryptionMaterials(TO_ENCRYPT);
      expect(inner.encryptions).to.have.length(1);
      time = 1000;
      await manager.getEncryptionMaterials(TO_ENCRYPT);
      expect(inner.encryptions).to.have.length(2);
      await manager.getDecryptionMaterials({ ...TO_ENCRYPT, encryptedDataKeys: [WRAP] });
      time = 2000;
      await manager.getDecryptionMaterials({ ...TO_ENCRYPT, encryptedDataKeys: [WRAP] });
      expect(inner.decryptions).to.have.length(2);
    });

    it("the number of objects, concurrent ones too", async () => {
      const manager = caching({ maxMessages: 10 });
      const all = await Promise.all(Array.from({ length: 50 }, () => manager.getEncryptionMaterials(TO_ENCRYPT)));
      const uses = new Map<unknown, number>();
      for (const materials of all) uses.set(materials, (uses.get(materials) ?? 0) + 1);
      expect([...uses.values()]).to.deep.equal([10, 10, 10, 10, 10]);
    });

    it("the bytes", async () => {
      const manager = caching({ maxBytes: 100 });
      for (const contentLength of [60, 40, 1, 98, 2])
        await manager.getEncryptionMaterials({ ...TO_ENCRYPT, contentLength });
      expect(inner.encryptions).to.have.length(3);
    });

    it("gives a body of unknown or too great length a data key of its own, without using up the cached one", async () => {
      const manager = caching({ maxBytes: 100 });
      await manager.getEncryptionMaterials({ ...TO_ENCRYPT, contentLength: 50 });
      await manager.getEncryptionMaterials(TO_ENCRYPT);
      await manager.getEncryptionMaterials({ ...TO_ENCRYPT, contentLength: 101 });
      expect(inner.encryptions).to.have.length(3);
      await manager.getEncryptionMaterials({ ...TO_ENCRYPT, contentLength: 50 });
      expect(inner.encryptions).to.have.length(3);
    });

    it("the number of data keys, the least recently used one going first", async () => {
      const manager = caching({ maxEntries: 2 });
      const ask = (name: string) =>
        manager.getEncryptionMaterials({ ...TO_ENCRYPT, encryptionContext: stringMap([["name", name]]) });
      for (const name of ["a", "b", "a", "c", "a", "b"]) await ask(name);
      const loaded = inner.encryptions.map(({ encryptionContext }) => encryptionContext.name);
      expect(loaded).to.deep.equal(["a", "b", "c", "b"]);
    });

    for (const name of ["maxAgeMs", "maxMessages", "maxBytes", "maxEntries"]) {
      it(`refuses a ${name} that bounds nothing`, () => {
        for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
          expect(() => caching({ [name]: value }))
            .to.throw(name)
            .with.property("code", "invalid-argument");
        }
      });
    }
  });

  it("asks once for callers at the same time", async () => {
    const manager = caching();
    const all = await Promise.all(Array.from({ length: 50 }, () => manager.getEncryptionMaterials(TO_ENCRYPT)));
    expect(new Set(all).size).to.equal(1);
    expect(inner.encryptions).to.have.length(1);
  });

  it("gives a failure to those who wait for it and asks again for the next", async () => {
    const manager = caching();
    inner.failure = new S3EncryptionError("key-unavailable", "down");
    const results = await Promise.allSettled([1, 2, 3].map(() => manager.getEncryptionMaterials(TO_ENCRYPT)));
    expect(results.map(({ status }) => status)).to.deep.equal(["rejected", "rejected", "rejected"]);
    inner.failure = undefined;
    await manager.getEncryptionMaterials(TO_ENCRYPT);
    expect(inner.encryptions).to.have.length(2);
  });

  it("forgets on clear and goes on", async () => {
    const manager = caching();
    const first = await manager.getEncryptionMaterials(TO_ENCRYPT);
    await manager.getDecryptionMaterials({ ...TO_ENCRYPT, encryptedDataKeys: [WRAP] });
    manager.clear();
    expect((await manager.getEncryptionMaterials(TO_ENCRYPT)).dataKey.equals(first.dataKey)).to.equal(false);
    await manager.getDecryptionMaterials({ ...TO_ENCRYPT, encryptedDataKeys: [WRAP] });
    expect(inner.decryptions).to.have.length(2);
  });

  it("is not used once disposed", async () => {
    const outlived: CachingMaterialsManager[] = [];
    {
      using manager = caching();
      outlived.push(manager);
      await manager.getEncryptionMaterials(TO_ENCRYPT);
    }
    for (const manager of outlived) {
      const error = await manager.getEncryptionMaterials(TO_ENCRYPT).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(S3EncryptionError).with.property("code", "invalid-configuration");
      const reading = manager.getDecryptionMaterials({ ...TO_ENCRYPT, encryptedDataKeys: [WRAP] });
      expect(await reading.catch((reason: unknown) => reason)).to.be.instanceOf(S3EncryptionError);
    }
    expect([inner.encryptions.length, inner.decryptions.length]).to.deep.equal([1, 0]);
  });

  it("declares what its manager declares", () => {
    expect(caching().wrapAlgorithms).to.equal(inner.wrapAlgorithms);
    expect(caching().instructionFileSuffixes).to.deep.equal([".escrow"]);
  });

  it("spares KMS calls: one for a hundred writes of a context, one for each object read", async () => {
    await using server = await startDevServer();
    const { endpoint, region, credentials } = server.clientConfig;
    const client = new KMSClient({ endpoint, region, credentials });
    const keyring = new KmsKeyring({ keyId: server.kms.createKey().arn, client });
    const manager = new CachingMaterialsManager({ manager: new DefaultMaterialsManager(keyring), maxAgeMs: 60_000 });
    const requests = ["a", "b"].map((tenant) => ({
      ...TO_ENCRYPT,
      encryptionContext: stringMap([["tenant", tenant]]),
    }));
    for (const request of requests) {
      for (let written = 0; written < 100; written += 1) {
        const { encryptedDataKeys } = await manager.getEncryptionMaterials(request);
        await manager.getDecryptionMaterials({ ...request, encryptedDataKeys });
      }
    }
    client.destroy();
    const calls = server.requests.map(({ operation }) => operation);
    expect(calls).to.deep.equal(["GenerateDataKey", "Decrypt", "GenerateDataKey", "Decrypt"]);
  });

  it("does not let a cached key open an object for a caller with another context", async () => {
    await using server = await startDevServer();
    const { endpoint, region, credentials } = server.clientConfig;
    const client = new KMSClient({ endpoint, region, credentials });
    const keyring = new KmsKeyring({ keyId: server.kms.createKey().arn, client });
    const manager = new CachingMaterialsManager({ manager: new DefaultMaterialsManager(keyring), maxAgeMs: 60_000 });
    const request = { ...TO_ENCRYPT, encryptionContext: stringMap([["tenant", "a"]]) };
    const { encryptedDataKeys } = await manager.getEncryptionMaterials(request);
    await manager.getDecryptionMaterials({ ...request, encryptedDataKeys });
    for (const encryptionContext of [NOTHING, stringMap([["tenant", "b"]])]) {
      const attempt = manager.getDecryptionMaterials({ ...request, encryptionContext, encryptedDataKeys });
      expect(await attempt.catch((reason: unknown) => reason)).to.have.property("code", "context-mismatch");
    }
    client.destroy();
  });
});
