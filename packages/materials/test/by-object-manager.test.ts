import { AES_GCM, COMMITTING_GCM, KMS_CONTEXT } from "@s3ec/envelope";
import { refusal } from "@s3ec/test-support";
import { expect } from "chai";
import fc from "fast-check";
import {
  ByObjectManager,
  createDataKey,
  type DecryptionRequest,
  type EncryptionRequest,
  type MaterialsManager,
  type ObjectRule,
  stringMap,
} from "../dist/index.js";

/** Notes that it was asked, and gives anything. */
class Named implements MaterialsManager {
  readonly wrapAlgorithms = [KMS_CONTEXT];
  readonly name: string;
  readonly asked: string[];

  constructor(name: string, asked: string[]) {
    this.name = name;
    this.asked = asked;
  }

  get instructionFileSuffixes(): readonly string[] {
    return [`.${this.name}`];
  }

  cachePartition(request: EncryptionRequest | DecryptionRequest): string | undefined {
    return request.key?.endsWith("!") === true ? undefined : "inner";
  }

  async getEncryptionMaterials(request: EncryptionRequest): ReturnType<MaterialsManager["getEncryptionMaterials"]> {
    this.asked.push(`write ${this.name}`);
    return { ...request, encryptedDataKeys: [], dataKey: createDataKey(request.suite) };
  }

  async getDecryptionMaterials(request: DecryptionRequest): ReturnType<MaterialsManager["getDecryptionMaterials"]> {
    this.asked.push(`read ${this.name}`);
    return { ...request, dataKey: createDataKey(request.suite) };
  }
}

const request = (bucket: string | undefined, key: string | undefined): EncryptionRequest & DecryptionRequest => ({
  suite: COMMITTING_GCM,
  algorithmBinding: "115",
  commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
  encryptionContext: stringMap([]),
  encryptedDataKeys: [],
  bucket,
  key,
});

describe("ByObjectManager", () => {
  it("has the managers of all rules forget a data key", () => {
    const forgotten: string[] = [];
    const forgetful = ["a", "b"].map((name) =>
      Object.assign(new Named(name, []), { forget: () => void forgotten.push(name) }),
    );
    const rules = [...forgetful, new Named("c", [])].map((manager) => ({ prefix: manager.name, manager }));
    new ByObjectManager({ rules }).forget(createDataKey(COMMITTING_GCM));
    expect(forgotten).to.deep.equal(["a", "b"]);
  });

  let asked: string[];
  beforeEach(() => {
    asked = [];
  });
  const made = (rules: Readonly<Record<string, Omit<ObjectRule, "manager">>>): ByObjectManager =>
    new ByObjectManager({
      rules: Object.entries(rules).map(([name, objects]) => ({ ...objects, manager: new Named(name, asked) })),
    });
  const rules = {
    any: { prefix: "a/" },
    deep: { prefix: "a/b/" },
    here: { bucket: "here", prefix: "a/" },
    whole: { bucket: "whole" },
  };

  for (const [bucket, key, name] of [
    ["x", "a/1", "any"],
    ["x", "a/b/1", "deep"],
    ["here", "a/1", "here"],
    ["here", "a/b/1", "here"],
    ["whole", "a/b/1", "whole"],
    ["whole", "z", "whole"],
    [undefined, "a/1", "any"],
  ] as const) {
    it(`serves ${key} of ${bucket} by the rule "${name}", however they are ordered`, async () => {
      for (const entries of [Object.entries(rules), Object.entries(rules).reverse()]) {
        const manager = made(Object.fromEntries(entries));
        await manager.getEncryptionMaterials(request(bucket, key));
        await manager.getDecryptionMaterials(request(bucket, key));
      }
      expect(asked).to.deep.equal([`write ${name}`, `read ${name}`, `write ${name}`, `read ${name}`]);
    });
  }

  it("refuses what no rule names, and asks no manager", async () => {
    const manager = made({ one: { bucket: "here", prefix: "a/" } });
    for (const [bucket, key] of [
      ["here", "A/1"],
      ["here", "b/a/1"],
      ["HERE", "a/1"],
      [undefined, "a/1"],
      ["here", undefined],
    ]) {
      const writing = await refusal("invalid-argument", manager.getEncryptionMaterials(request(bucket, key)));
      const reading = await refusal("no-matching-key", manager.getDecryptionMaterials(request(bucket, key)));
      expect(writing.message)
        .to.contain(reading.message)
        .and.match(/Nothing was written\.$/);
      expect(manager.cachePartition(request(bucket, key))).to.equal(undefined);
    }
    expect(asked).to.deep.equal([]);
  });

  it("names one partition for each rule, and none where the rule's manager names none", () => {
    const manager = made(rules);
    const partitions = ["x a/1", "x a/b/1", "here a/1", "whole a/1"].map((text) =>
      manager.cachePartition(request(...(text.split(" ") as [string, string]))),
    );
    expect(new Set(partitions).size).to.equal(4);
    expect(partitions).to.not.contain(undefined);
    expect(manager.cachePartition(request("y", "a/2"))).to.equal(partitions[0]);
    expect(manager.cachePartition(request("x", "a/1!"))).to.equal(undefined);
  });

  it("declares what any of its managers declares, once", () => {
    const manager = made(rules);
    expect(manager.wrapAlgorithms).to.deep.equal([KMS_CONTEXT]);
    expect(manager.instructionFileSuffixes).to.have.members([".any", ".deep", ".here", ".whole"]);
  });

  it("asks the rule's manager for its keyring, and takes managers that declare less", () => {
    const keyring = { wrapAlgorithms: [AES_GCM], onEncrypt: async () => Promise.reject(), onDecrypt: async () => null };
    const { wrapAlgorithms, getEncryptionMaterials, getDecryptionMaterials } = new Named("bare", asked);
    const bare = { wrapAlgorithms, getEncryptionMaterials, getDecryptionMaterials };
    const manager = new ByObjectManager({
      rules: [
        { prefix: "a/", keyring },
        { prefix: "b/", manager: bare },
      ],
    });
    expect(manager.keyringFor(request("x", "a/1"))).to.equal(keyring);
    expect(manager.keyringFor(request("x", "b/1"))).to.equal(undefined);
    expect(manager.keyringFor(request("x", "c/1"))).to.equal(undefined);
    expect(manager.instructionFileSuffixes).to.deep.equal([]);
    expect(manager.cachePartition(request("x", "b/1"))).to.equal(undefined);
  });

  it("takes a keyring in a manager's place", async () => {
    const keyring = { wrapAlgorithms: [AES_GCM], onEncrypt: async () => Promise.reject(new Error("asked")) };
    const manager = new ByObjectManager({ rules: [{ keyring: { ...keyring, onDecrypt: async () => null } }] });
    expect(manager.wrapAlgorithms).to.deep.equal([AES_GCM]);
    const outcome = await manager.getEncryptionMaterials(request("x", "y")).catch((error: unknown) => error);
    expect(outcome).to.have.property("message", "asked");
  });

  it("finds the same rule as a search through all of them", async () => {
    const short = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 3 });
    const rule = fc.record(
      { bucket: fc.constantFrom("a", "b"), prefix: short },
      { noNullPrototype: true, requiredKeys: [] },
    );
    const property = fc.asyncProperty(
      fc.uniqueArray(rule, { minLength: 1, selector: ({ bucket, prefix = "" }) => `${bucket} ${prefix}` }),
      fc.constantFrom("a", "b", "c"),
      short,
      async (list, bucket, key) => {
        const fits = (index: number): boolean => key.startsWith(list[index]?.prefix ?? "");
        let best: number | undefined;
        for (const wanted of [undefined, bucket]) {
          const found = [...list.keys()].filter((index) => list[index]?.bucket === wanted && fits(index));
          const longest = Math.max(...found.map((index) => list[index]?.prefix?.length ?? 0));
          best = found.find((index) => (list[index]?.prefix?.length ?? 0) === longest) ?? best;
        }
        asked = [];
        const manager = made(Object.fromEntries(list.map((each, index) => [`r${index}`, each])));
        await manager.getDecryptionMaterials(request(bucket, key)).catch(() => {});
        expect(asked).to.deep.equal(best === undefined ? [] : [`read r${best}`]);
      },
    );
    await fc.assert(property, { seed: 20, numRuns: 300 });
  });

  const manager = new Named("m", []);
  for (const [what, options] of [
    ["no rules", { rules: [] }],
    ["an object of rules", { rules: { manager } }],
    ["an unknown option", { rules: [{ manager }], rule: 1 }],
    ["an unknown option of a rule", { rules: [{ manager, prefixes: "a/" }] }],
    ["a rule without a manager", { rules: [{ prefix: "a/" }] }],
    ["a rule with a keyring and a manager", { rules: [{ manager, keyring: manager }] }],
    ["what is no keyring", { rules: [{ keyring: manager }] }],
    ["a prefix that is no text", { rules: [{ manager, prefix: 1 }] }],
    ["an empty bucket", { rules: [{ manager, bucket: "" }] }],
    ["two rules for the same objects", { rules: [{ manager, prefix: "" }, { manager }] }],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => Reflect.construct(ByObjectManager, [options]))
        .to.throw()
        .with.property("code", "invalid-argument");
    });
  }
});
