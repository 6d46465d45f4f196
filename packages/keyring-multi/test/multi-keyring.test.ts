import { createSecretKey, randomBytes } from "node:crypto";
import { AES_GCM, COMMITTING_GCM, KMS, KMS_CONTEXT } from "@s3ec/envelope";
import { COMMITTED } from "@s3ec/format-aws-message";
import { RawAesKeyring } from "@s3ec/keyring-raw-aes";
import {
  createDataKey,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
  S3EncryptionError,
  type S3EncryptionErrorCode,
  stringMap,
  withDataKey,
  withEncryptedDataKey,
} from "@s3ec/materials";
import { forReading, forWriting, refusal } from "@s3ec/test-support";
import { expect } from "chai";
import { MultiKeyring } from "../dist/multi-keyring.js";

const NOTHING = stringMap([]);
const TO_ENCRYPT = forWriting(COMMITTING_GCM);
const TO_DECRYPT = forReading(COMMITTING_GCM);

function aes(): RawAesKeyring {
  return new RawAesKeyring({ wrappingKey: randomBytes(32) });
}

/** A keyring whose two halves are given, and which counts how often each is asked. */
class Scripted implements Keyring {
  readonly wrapAlgorithms = [AES_GCM];
  encrypts = 0;
  decrypts = 0;
  readonly #onEncrypt: Keyring["onEncrypt"];
  readonly #onDecrypt: (materials: DecryptionMaterials) => Promise<DecryptionMaterials | null>;

  constructor(halves: {
    onEncrypt?: Keyring["onEncrypt"];
    onDecrypt?: (materials: DecryptionMaterials) => Promise<DecryptionMaterials | null>;
  }) {
    this.#onEncrypt = halves.onEncrypt ?? (async (materials) => materials);
    this.#onDecrypt = halves.onDecrypt ?? (async () => null);
  }

  onEncrypt(materials: EncryptionMaterials): Promise<EncryptionMaterials> {
    this.encrypts += 1;
    return this.#onEncrypt(materials);
  }

  onDecrypt(materials: DecryptionMaterials): Promise<DecryptionMaterials | null> {
    this.decrypts += 1;
    return this.#onDecrypt(materials);
  }
}

function failing(code: S3EncryptionErrorCode): Scripted {
  const fail = async (): Promise<never> => {
    throw new S3EncryptionError(code, `Failed with ${code}.`);
  };
  return new Scripted({ onEncrypt: fail, onDecrypt: fail });
}

function wrapped(name = "one"): EncryptedDataKey {
  return { wrapAlgorithm: AES_GCM, ciphertext: Buffer.from(name), description: NOTHING };
}

describe("MultiKeyring", () => {
  it("never wraps with a child that only reads, which needs no place", async () => {
    const former = aes();
    const keyring = new MultiKeyring({ generator: aes(), children: [{ keyring: former, decryptOnly: true }] });
    const written = await keyring.onEncrypt(TO_ENCRYPT);
    expect(written.encryptedDataKeys).to.have.lengthOf(1);
    const old = await former.onEncrypt(TO_ENCRYPT);
    const opened = await keyring.onDecrypt(TO_DECRYPT, old.encryptedDataKeys);
    expect(opened?.dataKey?.equals(old.dataKey ?? createSecretKey(Buffer.alloc(32)))).to.equal(true);
    const wrong = { keyring: former, decryptOnly: "false" as unknown as boolean };
    expect(() => new MultiKeyring({ generator: aes(), children: [wrong] })).to.throw(/decryptOnly must be/);
  });

  describe("construction", () => {
    const refused: readonly (readonly [
      string,
      ConstructorParameters<typeof MultiKeyring>[0],
      S3EncryptionErrorCode,
    ])[] = [
      ["nothing", {}, "invalid-configuration"],
      ["no generator and no children", { children: [] }, "invalid-configuration"],
      [
        "two children with one suffix, differing in the dot only (H16)",
        {
          generator: aes(),
          children: [
            { keyring: aes(), instructionFileSuffix: "a" },
            { keyring: aes(), instructionFileSuffix: "..a" },
          ],
        },
        "invalid-configuration",
      ],
      [
        "a child at the generator's place",
        { generator: aes(), children: [{ keyring: aes(), instructionFileSuffix: "instruction" }] },
        "invalid-configuration",
      ],
      [
        "a suffix of nothing but a dot",
        { generator: aes(), children: [{ keyring: aes(), instructionFileSuffix: "." }] },
        "invalid-argument",
      ],
      [
        "a child at the place of a child of the generator",
        {
          generator: new MultiKeyring({ generator: aes(), children: [{ keyring: aes(), instructionFileSuffix: "a" }] }),
          children: [{ keyring: aes(), instructionFileSuffix: "a" }],
        },
        "invalid-configuration",
      ],
    ];
    for (const [what, options, code] of refused) {
      it(`refuses ${what}`, () => {
        expect(() => new MultiKeyring(options))
          .to.throw()
          .with.property("code", code);
      });
    }

    it("refuses what is not a keyring, saying which", () => {
      const notAKeyring: Keyring = JSON.parse("{}");
      expect(() => new MultiKeyring({ generator: notAKeyring })).to.throw(/generator must be a keyring/);
      expect(() => new MultiKeyring({ children: [{ keyring: notAKeyring }] })).to.throw(/child must be a keyring/);
      const nothingDeclared: Keyring = Object.assign(JSON.parse("{}"), { onEncrypt: () => {}, onDecrypt: () => {} });
      expect(() => new MultiKeyring({ generator: nothingDeclared })).to.throw(/generator must be a keyring/);
    });

    it("declares the union of its keyrings' wraps and its children's suffixes", () => {
      const kms: Keyring = Object.assign(new Scripted({}), { wrapAlgorithms: [KMS_CONTEXT, KMS, { ...AES_GCM }] });
      const keyring = new MultiKeyring({ generator: kms, children: [{ keyring: aes(), instructionFileSuffix: "a" }] });
      expect(keyring.wrapAlgorithms.map(({ name }) => name)).to.deep.equal([
        "kms+context",
        "kms",
        "AES/GCM",
        "AESWrap",
        "AES",
      ]);
      expect(keyring.instructionFileSuffixes).to.deep.equal([".a"]);
    });
  });

  describe("onEncrypt", () => {
    it("wraps one data key for each, in order, the generator's at the default place", async () => {
      const [generator, first, second] = [aes(), aes(), aes()];
      const keyring = new MultiKeyring({
        generator,
        children: [
          { keyring: first, instructionFileSuffix: "first" },
          { keyring: second, instructionFileSuffix: ".second" },
        ],
      });
      const materials = await keyring.onEncrypt(TO_ENCRYPT);
      expect(materials.encryptedDataKeys.map((key) => key.instructionFileSuffix)).to.deep.equal([
        undefined,
        ".first",
        ".second",
      ]);
      expect(Object.isFrozen(materials) && materials.encryptedDataKeys.every(Object.isFrozen)).to.equal(true);
      for (const [index, alone] of [generator, first, second].entries()) {
        const opened = await alone.onDecrypt(TO_DECRYPT, materials.encryptedDataKeys.slice(index, index + 1));
        expect(materials.dataKey && opened?.dataKey?.equals(materials.dataKey)).to.equal(true);
      }
    });

    it("keeps a data key that there is, and what was wrapped before", async () => {
      const keyring = new MultiKeyring({
        generator: aes(),
        children: [{ keyring: aes(), instructionFileSuffix: "a" }],
      });
      const given = withEncryptedDataKey(withDataKey(TO_ENCRYPT, createDataKey(COMMITTING_GCM)), wrapped());
      const materials = await keyring.onEncrypt(given);
      expect(materials.dataKey?.equals(given.dataKey)).to.equal(true);
      expect(materials.encryptedDataKeys).to.have.length(3);
      expect(materials.encryptedDataKeys[0]).to.equal(given.encryptedDataKeys[0]);
    });

    it("takes nothing over but the data key and the encrypted data keys", async () => {
      const generator = new Scripted({
        onEncrypt: async (materials) => ({
          ...withEncryptedDataKey(withDataKey(materials, createDataKey(COMMITTING_GCM)), wrapped()),
          algorithmBinding: "other",
        }),
      });
      expect((await new MultiKeyring({ generator }).onEncrypt(TO_ENCRYPT)).algorithmBinding).to.equal("115");
    });

    const breaches: Record<string, Keyring["onEncrypt"]> = {
      "adds nothing": async (materials) => materials,
      "adds two": async (materials) => withEncryptedDataKey(withEncryptedDataKey(materials, wrapped()), wrapped("two")),
      "changes the data key": async (materials) =>
        withEncryptedDataKey(withDataKey(materials, createDataKey(COMMITTING_GCM)), wrapped()),
      "drops the data key": async ({ dataKey: _, ...materials }) => withEncryptedDataKey(materials, wrapped()),
      "replaces what was there": async (materials) => ({
        ...materials,
        encryptedDataKeys: [wrapped(), wrapped("two")],
      }),
    };
    for (const [what, onEncrypt] of Object.entries(breaches)) {
      it(`refuses a child that ${what}, even where children may be missing`, async () => {
        const keyring = new MultiKeyring({
          generator: aes(),
          children: [{ keyring: new Scripted({ onEncrypt }), instructionFileSuffix: "bad" }],
          allowMissingChildren: () => {},
        });
        const error = await refusal("invalid-configuration", keyring.onEncrypt(TO_ENCRYPT));
        expect(error.message).to.contain('".bad"');
      });
    }

    const generatorBreaches: Record<string, Keyring["onEncrypt"]> = {
      "adds no data key": async (materials) => withEncryptedDataKey(materials, wrapped()),
      "adds no encrypted data key": async (materials) => withDataKey(materials, createDataKey(COMMITTING_GCM)),
    };
    for (const [what, onEncrypt] of Object.entries(generatorBreaches)) {
      it(`refuses a generator that ${what}`, async () => {
        const keyring = new MultiKeyring({ generator: new Scripted({ onEncrypt }) });
        await refusal("invalid-configuration", keyring.onEncrypt(TO_ENCRYPT));
      });
    }

    it("refuses a generator that changes a data key that there is", async () => {
      const onEncrypt = breaches["changes the data key"];
      const keyring = new MultiKeyring({ generator: new Scripted(onEncrypt === undefined ? {} : { onEncrypt }) });
      const given = withDataKey(TO_ENCRYPT, createSecretKey(randomBytes(32)));
      await refusal("invalid-configuration", keyring.onEncrypt(given));
    });

    it("refuses to write an object where a child has no suffix, asking no keyring", async () => {
      const [generator, child] = [new Scripted({}), new Scripted({})];
      const children = [{ keyring: aes(), instructionFileSuffix: "a" }, { keyring: child }];
      const error = await refusal(
        "invalid-configuration",
        new MultiKeyring({ generator, children }).onEncrypt(TO_ENCRYPT),
      );
      expect(error.message).to.contain("instructionFileSuffix");
      expect([generator.encrypts, child.encrypts]).to.deep.equal([0, 0]);
    });

    it("fails the write when the generator fails, asking no child", async () => {
      const child = new Scripted({});
      const keyring = new MultiKeyring({
        generator: failing("key-unavailable"),
        children: [{ keyring: child, instructionFileSuffix: "a" }],
        allowMissingChildren: () => {},
      });
      await refusal("key-unavailable", keyring.onEncrypt(TO_ENCRYPT));
      expect(child.encrypts).to.equal(0);
    });

    it("fails the write when a child is down, saying which, and asks no further one", async () => {
      const later = new Scripted({});
      const keyring = new MultiKeyring({
        generator: aes(),
        children: [
          { keyring: failing("key-unavailable"), instructionFileSuffix: "down" },
          { keyring: later, instructionFileSuffix: "later" },
        ],
      });
      const error = await refusal("key-unavailable", keyring.onEncrypt(TO_ENCRYPT));
      expect(error.message).to.contain('".down"');
      expect(error.cause).to.have.property("message", "Failed with key-unavailable.");
      expect(later.encrypts).to.equal(0);
    });

    it("writes without a child that is down where that is allowed, and reports it", async () => {
      const missing: string[] = [];
      const keyring = new MultiKeyring({
        generator: aes(),
        children: [
          { keyring: failing("key-unavailable"), instructionFileSuffix: "down" },
          { keyring: aes(), instructionFileSuffix: "up" },
        ],
        allowMissingChildren: ({ index, instructionFileSuffix, error }) =>
          missing.push(`${index} ${instructionFileSuffix} ${error.code}`),
      });
      const { encryptedDataKeys } = await keyring.onEncrypt(TO_ENCRYPT);
      expect(encryptedDataKeys.map((key) => key.instructionFileSuffix)).to.deep.equal([undefined, ".up"]);
      expect(missing).to.deep.equal(["0 .down key-unavailable"]);
    });

    it("lets only a key store that could not be asked be missing, and no report fail silently", async () => {
      const children = (keyring: Keyring) => [{ keyring, instructionFileSuffix: "a" }];
      const allowMissingChildren = (): void => {};
      for (const code of ["invalid-argument", "unsupported-operation", "decryption-failed"] as const) {
        const keyring = new MultiKeyring({ generator: aes(), children: children(failing(code)), allowMissingChildren });
        await refusal(code, keyring.onEncrypt(TO_ENCRYPT));
      }
      const broken = new Scripted({ onEncrypt: () => Promise.reject(new TypeError("a bug")) });
      const buggy = new MultiKeyring({ generator: aes(), children: children(broken), allowMissingChildren });
      expect(await buggy.onEncrypt(TO_ENCRYPT).catch((error: unknown) => error)).to.be.instanceOf(TypeError);
      const strict = new MultiKeyring({
        generator: aes(),
        children: children(failing("key-unavailable")),
        allowMissingChildren: ({ error }) => {
          throw error;
        },
      });
      await refusal("key-unavailable", strict.onEncrypt(TO_ENCRYPT));
    });

    it("takes a function to report to, and no switch", () => {
      const options = { generator: aes(), allowMissingChildren: true };
      expect(() => Reflect.construct(MultiKeyring, [options]))
        .to.throw(/allowMissingChildren must be a function/)
        .with.property("code", "invalid-argument");
    });

    it("without a generator only reads", async () => {
      await refusal(
        "unsupported-operation",
        new MultiKeyring({ children: [{ keyring: aes() }] }).onEncrypt(TO_ENCRYPT),
      );
    });
  });

  describe("onDecrypt", () => {
    it("says which keyring opened it, by its class and place, and how it was found", async () => {
      const [generator, first, second] = [aes(), aes(), aes()];
      const inner = new MultiKeyring({
        children: [
          { keyring: first, decryptOnly: true },
          { keyring: second, decryptOnly: true },
        ],
      });
      const multi = new MultiKeyring({ generator, children: [{ keyring: inner, decryptOnly: true }] });
      const openedBy = async (keyring: Keyring): Promise<string | undefined> => {
        const { encryptedDataKeys } = await keyring.onEncrypt(TO_ENCRYPT);
        return (await multi.onDecrypt(TO_DECRYPT, encryptedDataKeys))?.openedBy;
      };
      expect(await openedBy(generator)).to.equal("generator: RawAesKeyring");
      expect(await openedBy(second)).to.equal("children[0]: children[1]: RawAesKeyring");
    });

    const opening = (): Scripted =>
      new Scripted({ onDecrypt: async (materials) => withDataKey(materials, createSecretKey(Buffer.alloc(32, 7))) });

    function reading(...keyrings: readonly Keyring[]): MultiKeyring {
      const [generator, ...children] = keyrings;
      return new MultiKeyring({
        ...(generator === undefined ? {} : { generator }),
        children: children.map((keyring, index) => ({ keyring, instructionFileSuffix: `${index}` })),
      });
    }

    it("asks in order and stops at the first that opens", async () => {
      const [first, second, third] = [new Scripted({}), opening(), opening()];
      const opened = await reading(first, second, third).onDecrypt(TO_DECRYPT, [wrapped()]);
      expect(opened?.dataKey?.symmetricKeySize).to.equal(32);
      expect([first.decrypts, second.decrypts, third.decrypts]).to.deep.equal([1, 1, 0]);
    });

    for (const code of ["decryption-failed", "key-unavailable", "context-mismatch"] as const) {
      it(`goes on to the children when the generator fails with ${code}`, async () => {
        expect(
          await reading(failing(code), new Scripted({}), opening()).onDecrypt(TO_DECRYPT, [wrapped()]),
        ).to.not.equal(null);
      });
    }

    it("answers null when every keyring does, and when one answers without a data key", async () => {
      const empty = new Scripted({ onDecrypt: async (materials) => materials });
      expect(await reading(new Scripted({}), empty).onDecrypt(TO_DECRYPT, [wrapped()])).to.equal(null);
    });

    it("passes on the error of the only keyring that failed", async () => {
      const error = await refusal(
        "malformed-envelope",
        reading(new Scripted({}), failing("malformed-envelope")).onDecrypt(TO_DECRYPT, [wrapped()]),
      );
      expect(error.message).to.equal("Failed with malformed-envelope.");
    });

    const rules: readonly (readonly [readonly S3EncryptionErrorCode[], S3EncryptionErrorCode])[] = [
      [["decryption-failed", "key-unavailable"], "key-unavailable"],
      [["context-mismatch", "context-mismatch"], "context-mismatch"],
      [["context-mismatch", "no-matching-key"], "context-mismatch"],
      [["no-matching-key", "no-matching-key"], "no-matching-key"],
      [["context-mismatch", "decryption-failed"], "decryption-failed"],
      [["malformed-envelope", "malformed-envelope"], "decryption-failed"],
      [["malformed-envelope", "context-mismatch", "key-unavailable"], "key-unavailable"],
    ];
    for (const [codes, expected] of rules) {
      it(`makes ${codes.join(" and ")} one ${expected}, with each reason in the cause`, async () => {
        const error = await refusal(expected, reading(...codes.map(failing)).onDecrypt(TO_DECRYPT, [wrapped()]));
        expect(error.cause).to.be.instanceOf(AggregateError);
        expect(error.cause instanceof AggregateError && error.cause.errors.map(({ code }) => code)).to.deep.equal(
          codes,
        );
        expect(JSON.stringify(error)).to.not.contain("Failed");
        expect(error.message).to.not.contain("Failed");
      });
    }

    it("says the same for every combination under one code (S16)", async () => {
      const combinations = [
        ["decryption-failed", "decryption-failed"],
        ["decryption-failed", "context-mismatch"],
        ["malformed-envelope", "decryption-failed", "no-matching-key"],
      ] as const;
      const texts = new Set<string>();
      for (const codes of combinations) {
        const attempt = reading(...codes.map(failing)).onDecrypt(TO_DECRYPT, [wrapped()]);
        texts.add((await refusal("decryption-failed", attempt)).message);
      }
      expect(texts.size).to.equal(1);
    });

    it("makes an untyped throw of a keyring a typed failure", async () => {
      const bug = new Scripted({ onDecrypt: () => Promise.reject(new TypeError("secret detail")) });
      const error = await refusal("decryption-failed", reading(bug).onDecrypt(TO_DECRYPT, [wrapped()]));
      expect(error.message).to.not.contain("secret");
    });

    it("reads without a generator, children needing no suffix", async () => {
      const keyring = new MultiKeyring({ children: [{ keyring: new Scripted({}) }, { keyring: opening() }] });
      expect(await keyring.onDecrypt(TO_DECRYPT, [wrapped()])).to.not.equal(null);
    });
  });

  describe("messages", () => {
    const toEncrypt = forWriting(COMMITTED);
    const toDecrypt = forReading(COMMITTED);
    const named = (name: string): RawAesKeyring =>
      new RawAesKeyring({ wrappingKey: randomBytes(32), messageKey: { namespace: "test keys", name } });

    it("hold the wraps of all children, none of which needs a suffix, and one that it has plays no part", async () => {
      const keyrings = ["a", "b", "c"].map(named);
      const [generator = named("unused"), ...rest] = keyrings;
      for (const children of [
        rest.map((keyring) => ({ keyring })),
        rest.map((keyring, index) => ({ keyring, instructionFileSuffix: `${index}` })),
      ]) {
        const multi = new MultiKeyring({ generator, children });
        const { dataKey, encryptedDataKeys } = await multi.onEncrypt(toEncrypt);
        expect(encryptedDataKeys).to.have.length(3);
        for (const key of encryptedDataKeys) expect(key).to.not.have.property("instructionFileSuffix");
        for (const keyring of [multi, ...keyrings]) {
          const opened = await keyring.onDecrypt(toDecrypt, encryptedDataKeys);
          expect(dataKey && opened?.dataKey?.equals(dataKey)).to.equal(true);
        }
      }
    });

    it("hold all wraps of a child that is made of keyrings itself", async () => {
      const inner = new MultiKeyring({ generator: named("b"), children: [{ keyring: named("c") }] });
      const multi = new MultiKeyring({ generator: named("a"), children: [{ keyring: inner }] });
      expect((await multi.onEncrypt(toEncrypt)).encryptedDataKeys).to.have.length(3);
    });

    it("are not written where a child adds nothing or changes the data key", async () => {
      const wrongs: readonly Keyring["onEncrypt"][] = [
        async (materials) => materials,
        async (materials) => withEncryptedDataKey(withDataKey(materials, createDataKey(COMMITTED)), wrapped()),
      ];
      for (const onEncrypt of wrongs) {
        const multi = new MultiKeyring({ generator: named("a"), children: [{ keyring: new Scripted({ onEncrypt }) }] });
        const error = await refusal("invalid-configuration", multi.onEncrypt(toEncrypt));
        expect(error.message).to.contain("children[0]");
      }
    });

    it("are not asked of a child that is the keyring itself, without its place", async () => {
      const given = { generator: named("a"), children: [named("b")] };
      const make = async (): Promise<unknown> => Reflect.construct(MultiKeyring, [given]);
      const error = await refusal("invalid-argument", make());
      expect(error.message).to.contain("children[0] is a keyring itself: pass { keyring, instructionFileSuffix }");
    });

    it("name a missing child by its position", async () => {
      const missing: unknown[] = [];
      const multi = new MultiKeyring({
        generator: named("a"),
        children: [{ keyring: named("b") }, { keyring: failing("key-unavailable") }],
        allowMissingChildren: (child) => missing.push(child),
      });
      expect((await multi.onEncrypt(toEncrypt)).encryptedDataKeys).to.have.length(2);
      expect(missing).to.have.length(1);
      expect(missing[0]).to.include({ index: 1 }).and.not.have.property("instructionFileSuffix");
    });
  });
});
