import { createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import {
  AES_GCM,
  AES_WRAP,
  CBC,
  COMMITTING_GCM,
  EMPTY_STRING_MAP,
  GCM,
  KMS,
  KMS_CONTEXT,
  RSA_OAEP_SHA1,
} from "@s3ec/envelope";
import { BY_PROVIDER, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { contextMismatch, DefaultMaterialsManager } from "../dist/default-manager.js";
import {
  createDataKey,
  type DecryptionMaterials,
  type DecryptionRequest,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type EncryptionRequest,
  type Keyring,
  S3EncryptionError,
  stringMap,
  type WrapAlgorithm,
  withDataKey,
  withEncryptedDataKey,
} from "../dist/index.js";

const map = (entries: Record<string, string>) => stringMap(Object.entries(entries));
const keyOf = (length: number): KeyObject => createSecretKey(Buffer.alloc(length, 7));
const wrap = (wrapAlgorithm: WrapAlgorithm, description: Record<string, string> = {}): EncryptedDataKey => ({
  wrapAlgorithm,
  ciphertext: Buffer.alloc(60, 1),
  description: map(description),
});

/** A keyring that does as it is told, and remembers what it was asked. */
class Scripted implements Keyring {
  readonly wrapAlgorithms: readonly WrapAlgorithm[] = [AES_GCM, KMS_CONTEXT];
  readonly asked: (EncryptionMaterials | DecryptionMaterials)[] = [];
  encrypt = (materials: EncryptionMaterials): EncryptionMaterials =>
    withEncryptedDataKey(withDataKey(materials, createDataKey(materials.suite)), wrap(AES_GCM));
  decrypt = (materials: DecryptionMaterials): DecryptionMaterials | null => withDataKey(materials, keyOf(32));

  async onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    this.asked.push(materials);
    return this.encrypt(materials);
  }

  async onDecrypt(materials: DecryptionMaterials): Promise<DecryptionMaterials | null> {
    this.asked.push(materials);
    return this.decrypt(materials);
  }
}

describe("DefaultMaterialsManager", () => {
  let keyring: Scripted;
  let manager: DefaultMaterialsManager;

  beforeEach(() => {
    keyring = new Scripted();
    manager = new DefaultMaterialsManager(keyring);
  });

  const writing = (more: Partial<EncryptionRequest> = {}): EncryptionRequest => ({
    suite: COMMITTING_GCM,
    algorithmBinding: "115",
    commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    encryptionContext: EMPTY_STRING_MAP,
    ...more,
  });
  const reading = (more: Partial<DecryptionRequest> = {}): DecryptionRequest => ({
    ...writing(),
    encryptedDataKeys: [wrap(AES_GCM)],
    ...more,
  });

  it("has the keyring wrap the data key of an object that stands, of whatever length, and no other", async () => {
    for (const length of [16, 32]) {
      const dataKey = keyOf(length);
      const request = writing({ suite: GCM, algorithmBinding: "AES/GCM/NoPadding", dataKey });
      await refusal("invalid-configuration", manager.getEncryptionMaterials(request));
      keyring.encrypt = (materials) => withEncryptedDataKey(materials, wrap(AES_GCM));
      const materials = await manager.getEncryptionMaterials(request);
      expect(materials.dataKey.equals(dataKey)).to.equal(true);
      keyring.encrypt = new Scripted().encrypt;
    }
  });

  it("passes on what its keyring declares", () => {
    expect(manager.wrapAlgorithms).to.equal(keyring.wrapAlgorithms);
    expect(manager.instructionFileSuffixes).to.deep.equal([]);
    Object.assign(keyring, { instructionFileSuffixes: [".escrow"] });
    expect(manager.instructionFileSuffixes).to.deep.equal([".escrow"]);
  });

  it("needs a keyring", () => {
    const whole = { onEncrypt: () => {}, onDecrypt: () => {}, wrapAlgorithms: [] };
    const halves = Object.keys(whole).map((name) => ({ ...whole, [name]: undefined }));
    for (const value of [undefined, null, {}, "keyring", ...halves]) {
      const make = () => Reflect.construct(DefaultMaterialsManager, [value]);
      expect(make).to.throw(S3EncryptionError, "Pass a keyring").with.property("code", "invalid-argument");
    }
    expect(() => Reflect.construct(DefaultMaterialsManager, [whole])).to.not.throw();
  });

  describe("on writing", () => {
    it("asks with frozen materials, as the caller put them, and gives the answer out", async () => {
      const materialDescription = map({ key: "2027" });
      const materials = await manager.getEncryptionMaterials(writing({ materialDescription, contentLength: 5 }));
      expect(keyring.asked).to.have.length(1);
      expect(keyring.asked[0]).to.deep.equal({
        suite: COMMITTING_GCM,
        algorithmBinding: "115",
        encryptionContext: EMPTY_STRING_MAP,
        materialDescription,
        encryptedDataKeys: [],
      });
      expect(keyring.asked[0]).to.be.frozen;
      expect(materials.dataKey.symmetricKeySize).to.equal(32);
      expect(materials.encryptedDataKeys).to.have.length(1);
    });

    it("asks anew for each object", async () => {
      const keys = [await manager.getEncryptionMaterials(writing()), await manager.getEncryptionMaterials(writing())];
      expect(keyring.asked).to.have.length(2);
      expect(keys[0]?.dataKey.equals(keys[1]?.dataKey ?? keyOf(32))).to.equal(false);
    });

    const answers: [what: string, encrypt: (materials: EncryptionMaterials) => EncryptionMaterials][] = [
      ["no data key", (materials) => withEncryptedDataKey(materials, wrap(AES_GCM))],
      ["no encrypted data key", (materials) => withDataKey(materials, keyOf(32))],
      ["nothing", (materials) => materials],
      ["a data key of 16 bytes", (materials) => withEncryptedDataKey(withDataKey(materials, keyOf(16)), wrap(AES_GCM))],
      ["a legacy wrap", (materials) => withEncryptedDataKey(withDataKey(materials, keyOf(32)), wrap(AES_WRAP))],
      [
        "a legacy wrap behind another",
        (materials) =>
          withEncryptedDataKey(withEncryptedDataKey(withDataKey(materials, keyOf(32)), wrap(AES_GCM)), wrap(KMS)),
      ],
    ];
    for (const [what, encrypt] of answers) {
      it(`refuses ${what} from the keyring`, async () => {
        keyring.encrypt = encrypt;
        await refusal("invalid-configuration", manager.getEncryptionMaterials(writing()));
      });
    }

    const stores: [wraps: WrapAlgorithm[], context: boolean, description: boolean, allowed: boolean][] = [
      [[KMS_CONTEXT], true, false, true],
      [[KMS_CONTEXT], false, true, false],
      [[AES_GCM], true, false, false],
      [[AES_GCM], false, true, true],
      [[KMS_CONTEXT, RSA_OAEP_SHA1], true, true, true],
      [[AES_GCM, RSA_OAEP_SHA1], true, true, false],
    ];
    for (const [wraps, context, description, allowed] of stores) {
      const given = [...(context ? ["a context"] : []), ...(description ? ["a description"] : [])].join(" and ");
      const names = wraps.map(({ name }) => name).join(" and ");
      it(`${allowed ? "takes" : "refuses to drop"} ${given} with ${names}`, async () => {
        keyring.encrypt = (materials) =>
          wraps.reduce<EncryptionMaterials>(
            (all, entry) => withEncryptedDataKey(all, wrap(entry)),
            withDataKey(materials, keyOf(32)),
          );
        const request = writing({
          encryptionContext: context ? map({ tenant: "a" }) : EMPTY_STRING_MAP,
          ...(description ? { materialDescription: map({ key: "2027" }) } : {}),
        });
        if (allowed)
          expect((await manager.getEncryptionMaterials(request)).encryptedDataKeys).to.have.length(wraps.length);
        else await refusal("invalid-argument", manager.getEncryptionMaterials(request));
      });
    }
  });

  describe("on reading", () => {
    it("asks with frozen materials, as the caller put them", async () => {
      const materialDescription = EMPTY_STRING_MAP;
      const { dataKey } = await manager.getDecryptionMaterials(reading({ materialDescription }));
      expect(dataKey.symmetricKeySize).to.equal(32);
      expect(keyring.asked).to.have.length(1);
      expect(keyring.asked[0]).to.deep.equal({
        suite: COMMITTING_GCM,
        algorithmBinding: "115",
        encryptionContext: EMPTY_STRING_MAP,
        materialDescription,
      });
      expect(keyring.asked[0]).to.be.frozen;
    });

    it("says which keyring opened it: its class, where it does not say more", async () => {
      expect(await manager.getDecryptionMaterials(reading())).to.have.property("openedBy", "Scripted");
      const opening = keyring.onDecrypt.bind(keyring);
      const { wrapAlgorithms, onEncrypt } = keyring;
      for (const [made, openedBy] of [
        [{ wrapAlgorithms, onEncrypt, onDecrypt: opening }, "Object"],
        [Object.assign(Object.create(null), { wrapAlgorithms, onEncrypt, onDecrypt: opening }), "Keyring"],
        [
          {
            wrapAlgorithms,
            onEncrypt,
            onDecrypt: async (asked: DecryptionMaterials) => ({ ...(await opening(asked)), openedBy: "slot 3" }),
          },
          "slot 3",
        ],
      ] as [Keyring, string][]) {
        const materials = await new DefaultMaterialsManager(made).getDecryptionMaterials(reading());
        expect(materials).to.have.property("openedBy", openedBy);
      }
    });

    it("asks for no description where the caller expects none, though nothing stands for it", async () => {
      await manager.getDecryptionMaterials(reading());
      expect(keyring.asked[0]).to.not.have.property("materialDescription");
    });

    it("leaves a context to a format that authenticates it (S10)", async () => {
      const suite = BY_PROVIDER;
      await manager.getDecryptionMaterials(reading({ suite, encryptionContext: map({ tenant: "a" }) }));
      expect(keyring.asked).to.have.length(1);
    });

    it("gives the public key that the context holds, where the suite signs, before a key is used", async () => {
      const signature = { curve: "P-256", hash: "sha256" } as const;
      const suite = { ...BY_PROVIDER, signature };
      const { signingKey, encryptionContext } = await manager.getEncryptionMaterials(writing({ suite }));
      if (signingKey === undefined) throw new Error("nothing to sign with");
      const { verificationKey } = await manager.getDecryptionMaterials(reading({ suite, encryptionContext }));
      expect(verificationKey?.equals(createPublicKey(signingKey))).to.equal(true);
      expect(keyring.asked).to.have.length(2);
      await refusal("decryption-failed", manager.getDecryptionMaterials(reading({ suite })));
      expect(keyring.asked).to.have.length(2);
      expect(await manager.getDecryptionMaterials(reading())).to.not.have.property("verificationKey");
    });

    it("says with which wraps, when the keyring has no key for them", async () => {
      const request = reading({ encryptedDataKeys: [wrap(AES_GCM), wrap(AES_GCM), wrap(KMS_CONTEXT)] });
      for (const none of [null, undefined]) {
        Object.assign(keyring, { decrypt: () => none });
        const { message } = await refusal("no-matching-key", manager.getDecryptionMaterials(request));
        expect(message).to.contain('(wrapped with: "AES/GCM", "kms+context")');
      }
    });

    const lengths: [suite: typeof GCM, accepted: number[]][] = [
      [COMMITTING_GCM, [32]],
      [GCM, [16, 24, 32]],
      [CBC, [16, 24, 32]],
    ];
    for (const [suite, accepted] of lengths) {
      it(`takes data keys of ${accepted.join(", ")} bytes for ${suite.name} (H19, S15)`, async () => {
        for (const length of [1, 15, 16, 17, 24, 31, 32, 33, 64]) {
          keyring.decrypt = (materials) => withDataKey(materials, keyOf(length));
          const opening = manager.getDecryptionMaterials(reading({ suite }));
          if (accepted.includes(length)) expect((await opening).dataKey.symmetricKeySize).to.equal(length);
          else await refusal("decryption-failed", opening);
        }
      });
    }

    it("refuses an answer without a data key, in the words of every failure (S16)", async () => {
      keyring.decrypt = (materials) => materials;
      const { message } = await refusal("decryption-failed", manager.getDecryptionMaterials(reading()));
      keyring.decrypt = (materials) => withDataKey(materials, keyOf(31));
      expect((await refusal("decryption-failed", manager.getDecryptionMaterials(reading()))).message).to.equal(message);
    });

    it("lets the keyring's own refusal through", async () => {
      keyring.decrypt = () => {
        throw contextMismatch();
      };
      await refusal("context-mismatch", manager.getDecryptionMaterials(reading()));
    });

    const a = { a: "1" };
    const expectations: [stored: EncryptedDataKey, context: object, description: object | undefined, asks: boolean][] =
      [
        // A raw wrap binds no context: one that the caller expects cannot be checked (S10).
        [wrap(AES_GCM), a, undefined, false],
        [wrap(AES_GCM, a), a, undefined, false],
        [wrap(AES_GCM), {}, undefined, true],
        // A context is compared by the keyring, which knows its reserved entries.
        [wrap(KMS_CONTEXT), a, undefined, true],
        [wrap(KMS), a, undefined, true],
        // A description that the caller expects must be the one stored, whole.
        [wrap(AES_GCM, a), {}, a, true],
        [wrap(AES_GCM, a), {}, { a: "2" }, false],
        [wrap(AES_GCM, a), {}, {}, false],
        [wrap(AES_GCM, { ...a, b: "2" }), {}, a, false],
        [wrap(AES_GCM), {}, a, false],
        [wrap(AES_GCM), {}, {}, true],
        // KMS wraps store none, so that none but an empty one can be expected of them.
        [wrap(KMS_CONTEXT, a), {}, a, false],
        [wrap(KMS_CONTEXT, a), {}, {}, true],
      ];
    for (const [stored, context, description, asks] of expectations) {
      const { wrapAlgorithm } = stored;
      const expected = `context ${JSON.stringify(context)}, description ${JSON.stringify(description) ?? "not given"}`;
      it(`${asks ? "asks" : "refuses before it asks"}: ${wrapAlgorithm.name} ${JSON.stringify(stored.description)}, ${expected}`, async () => {
        const opening = manager.getDecryptionMaterials(
          reading({
            encryptionContext: map({ ...context }),
            ...(description === undefined ? {} : { materialDescription: map({ ...description }) }),
            encryptedDataKeys: [stored],
          }),
        );
        if (asks) await opening;
        else {
          const { message } = await refusal("context-mismatch", opening);
          // The words that users of the sibling clients search for.
          expect(message).to.contain("Provided encryption context does not match information retrieved from S3");
          expect(message).to.match(/pass .*materialDescription/);
        }
        expect(keyring.asked).to.have.length(asks ? 1 : 0);
      });
    }
  });
});
